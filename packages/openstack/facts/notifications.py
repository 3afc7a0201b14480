"""What nova, ironic, cinder, neutron and keystone notify: event types, and the fields of their payloads.

Each function gives (objects, events): by class name `{version, base, fields}`; by event type the class of its
payload. neutron gives its resources: by name on the wire `{className, fields}`.
"""

import ast
import json
import re

from classes import classes_in, kind_of


def nova(package):
    classes = {}
    for path, source in package.files.items():
        if path.startswith('nova/notifications/objects/'):
            classes.update(classes_in(source))
    # The one class that takes its fields from another one.
    props = classes_in(package.files['nova/objects/image_meta.py'])['ImageMetaProps']['fields']
    left_out = ast.literal_eval(package.find('nova/notifications/objects/image.py', r'if k not in (\(.*?\))'))
    classes['ImageMetaPropsPayload']['fields'] = {
        name: f'~{kind}' for name, kind in props.items() if name not in left_out
    }
    events = {}
    for name, each in classes.items():
        for sample in each['samples']:
            event = json.loads(package.files[f'doc/notification_samples/{sample}'])['event_type']
            events[event] = each['fields']['payload'].removeprefix('@')
    return payloads(classes, events), events


def ironic(package):
    classes = {}
    for path, source in package.files.items():
        if path.startswith('ironic/objects/'):
            classes.update(classes_in(source))
    api = package.files['ironic/api/controllers/v1/notification_utils.py']
    conductor = package.files['ironic/conductor/notification_utils.py']
    events = {}
    table = re.search(r'CRUD_NOTIFY_OBJ = \{(.*?)\n\}', api, re.DOTALL)[1]
    for resource, payload in re.findall(r"'(\w+)':\s*\(\w+\.\w+,\s*\w+\.(\w+)\)", table):
        for action in ('create', 'update', 'delete'):
            for status in ('start', 'end', 'error'):
                events[f'baremetal.{resource}.{action}.{status}'] = payload
    for action, payload, statuses in (
        ('power_set', 'NodeSetPowerStatePayload', ('start', 'end', 'error')),
        ('power_state_corrected', 'NodeCorrectedPowerStatePayload', ('success',)),
        ('provision_set', 'NodeSetProvisionStatePayload', ('start', 'end', 'success', 'error')),
        ('console_set', 'NodePayload', ('start', 'end', 'error')),
        ('console_restore', 'NodePayload', ('start', 'end', 'error')),
        ('maintenance_set', 'NodePayload', ('start', 'end', 'error')),
    ):
        if f"'{action}'" not in api + conductor and f"'{action}' " not in conductor + api:
            raise SystemExit(f'ironic notifies {action} no longer')
        events.update({f'baremetal.node.{action}.{status}': payload for status in statuses})
    return payloads(classes, events), events


def payloads(classes, events):
    """The classes that the payloads of the events need, flat: the fields of the bases first."""
    needed, found = list(dict.fromkeys(events.values())), {}
    while needed:
        name = needed.pop()
        if name in found:
            continue
        own = classes[name]
        base = next(
            (each for each in own['bases'] if each.endswith('Payload') and classes.get(each, {}).get('fields')), None
        )
        fields = {field: kind for field, kind in own['fields'].items()}
        if base is not None:
            needed.append(base)
            inherited = inherited_fields(classes, base)
            fields = {field: kind for field, kind in fields.items() if inherited.get(field) != kind}
        found[name] = {'version': own['version'], 'base': base, 'fields': fields}
        for kind in fields.values():
            needed += re.findall(r'@(\w+)', kind)
    return {name: found[name] for name in sorted(found)}


def inherited_fields(classes, name):
    own = classes[name]
    base = next((each for each in own['bases'] if each in classes), None)
    return {**(inherited_fields(classes, base) if base else {}), **own['fields']}


# cinder: dictionaries that functions build from objects

CINDER = {
    'volume': 'Volume',
    'snapshot': 'Snapshot',
    'backup': 'Backup',
    'group': 'Group',
    'group_snapshot': 'GroupSnapshot',
}


def cinder(package):
    usages = {
        node.name.removeprefix('_usage_from_'): node
        for node in ast.parse(package.files['cinder/volume/volume_utils.py']).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith('_usage_from_')
    }
    objects = {}
    for thing, class_name in CINDER.items():
        fields = classes_in(package.files[f'cinder/objects/{thing}.py'])[class_name]['fields']
        objects[f'{class_name}Usage'] = {'version': None, 'base': None, 'fields': usage_fields(usages[thing], fields)}
    events = {}
    for path, source in package.files.items():
        for node in ast.walk(ast.parse(source)) if 'notify' in source.lower() and path.startswith('cinder/') else ():
            if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '').endswith('notify_suffix'):
                events[f'volume.{node.value.value}'] = 'VolumeUsage'
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
            thing = re.match(r'_?notify_about_(\w+)_usage$', name)
            thing = (
                thing[1]
                if thing
                else 'volume'
                if name in ('NotifyVolumeActionTask', 'CreateVolumeOnFinishTask')
                else None
            )
            for argument in node.args if thing in CINDER else ():
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and is_suffix(argument.value):
                    events[f'{thing}.{argument.value}'] = f'{CINDER[thing]}Usage'
    return objects, dict(sorted(events.items()))


def is_suffix(text):
    return text in ('exists', 'retype') or re.fullmatch(r'[a-z_]+(\.[a-z_]+)*\.(start|end|error)', text) is not None


def usage_fields(function, fields):
    """The first dictionary that the function builds; an entry that copies a field of the object has its kind."""
    built = next(
        node
        for node in ast.walk(function)
        if (isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'dict' and node.keywords)
        or (isinstance(node, ast.Dict) and node.keys)
    )
    if isinstance(built, ast.Dict):
        entries = {key.value: value for key, value in zip(built.keys, built.values)}
    else:
        entries = {keyword.arg: keyword.value for keyword in built.keywords}
    found = {name: copied_kind(value, fields) for name, value in entries.items()}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            found.setdefault(node.targets[0].slice.value, '~any')
    return found


def copied_kind(value, fields):
    if isinstance(value, ast.Call):
        return 'string' if getattr(value.func, 'attr', '') == 'isoformat' else 'any'
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
        kind = fields.get(value.slice.value, 'any')
    elif isinstance(value, ast.Attribute):
        kind = fields.get(value.attr, 'any')
    else:
        kind = 'any'
    return 'any' if '@' in kind or '{' in kind else kind


# neutron: what the API shows of each resource; src/facts/resources.ts has the payloads that follow from it

DEFINITIONS = 'neutron_lib/api/definitions/'
SECURITY_GROUPS = 'neutron/extensions/securitygroup.py'
NEUTRON = {
    'network': f'{DEFINITIONS}network.py',
    'subnet': f'{DEFINITIONS}subnet.py',
    'port': f'{DEFINITIONS}port.py',
    'router': f'{DEFINITIONS}l3.py',
    'floatingip': f'{DEFINITIONS}l3.py',
    'security_group': SECURITY_GROUPS,
    'security_group_rule': SECURITY_GROUPS,
}


def neutron(package, library):
    sources = {path: text for path, text in library.files.items() if re.match(rf'{DEFINITIONS}\w+\.py$', path)}
    sources[SECURITY_GROUPS] = package.files[SECURITY_GROUPS]
    trees = {path: ast.parse(text) for path, text in sources.items()}
    trees['neutron_lib/constants.py'] = ast.parse(library.files['neutron_lib/constants.py'])
    constants = {}
    # Twice: definitions name each other's collections.
    for _ in range(2):
        for path, tree in trees.items():
            constants[module_name(path)] = text_constants(tree, module_name(path), constants)
    maps = {path: attribute_maps(tree, module_name(path), constants) for path, tree in trees.items()}
    resources = {}
    for resource, module in NEUTRON.items():
        collection = f'{resource}s'
        fields = dict(maps[module].get(collection, {}))
        for path, found in sorted(maps.items()):
            if path != module:
                for name, kind in found.get(collection, {}).items():
                    fields.setdefault(name, f'~{kind}')
        if not fields:
            raise SystemExit(f'neutron-lib says nothing of {resource}')
        # Every resource is shown with both names of its project.
        fields.setdefault('project_id', '~string?')
        if 'status' in fields:
            fields['status'] = 'string?'
        name = ''.join(word.capitalize() for word in resource.split('_'))
        resources[resource] = {'className': name, 'fields': fields}
    return resources


def module_name(path):
    return path.rpartition('/')[2].removesuffix('.py')


def text_constants(tree, module, constants):
    """Names of a module that are texts, or other names for them."""
    found = {}
    for target, value in assignments(tree):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[target] = value.value
        elif isinstance(value, (ast.Name, ast.Attribute)):
            text = text_of(value, module, {**constants, module: found})
            if text is not None:
                found[target] = text
    return found


def assignments(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def text_of(key, module, constants):
    """The text that a key of a dictionary stands for, or None."""
    if isinstance(key, ast.Constant):
        return key.value
    if isinstance(key, ast.Name):
        return constants[module].get(key.id)
    if isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name):
        owner = {'const': 'constants', 'n_const': 'constants', 'lib_const': 'constants'}.get(key.value.id, key.value.id)
        return constants.get(owner, constants.get(f'{owner}_apidef', {})).get(key.attr)
    return None


def attribute_maps(tree, module, constants):
    """By collection, the fields that a definition gives it."""
    found = {}
    for name, value in assignments(tree):
        if re.search(r'(ATTRIBUTE_MAP|EXTENDED_ATTRIBUTES_2_0)$', name) and isinstance(value, ast.Dict):
            for key, fields in zip(value.keys, value.values):
                collection = text_of(key, module, constants)
                if collection is not None and isinstance(fields, ast.Dict):
                    found.setdefault(collection, {}).update(shown_fields(fields, module, constants))
    return found


def shown_fields(mapping, module, constants):
    shown = {}
    for key, value in zip(mapping.keys, mapping.values):
        name = text_of(key, module, constants)
        if name is None or not isinstance(value, ast.Dict):
            continue
        options = {
            each.value: setting for each, setting in zip(value.keys, value.values) if isinstance(each, ast.Constant)
        }
        if ast.unparse(options.get('is_visible', ast.Constant(False))) == 'True':
            shown[name] = 'string' if name == 'id' else api_kind(options)
    return shown


def api_kind(options):
    """Text, number or flag, where the validator or the converter says so; all but the id may be null."""
    said = ' '.join(ast.unparse(options[name]) for name in ('validate', 'convert_to', 'default') if name in options)
    if 'convert_to_boolean' in said or 'type:boolean' in said:
        return 'boolean?'
    if re.search(r'convert_to_int\b|type:(integer|non_negative|range)', said):
        return 'integer?'
    if re.search(
        r'type:(uuid|string|name_string|name_not_default|not_empty_string|mac_address)\b'
        r'|type:(ip_address|subnet|regex|values|cidr)\b|type:(uuid|string)_or_none',
        said,
    ):
        return 'string?'
    return 'any'


# keystone: CADF events, or the identifiers alone, as its option notification_format says


def keystone(package, pycadf):
    events = {'identity.authenticate': 'AuditEvent'}
    for path, source in package.files.items():
        if path.startswith('keystone/') and 'notifications.Audit.' in source:
            constants = dict(re.findall(r"^\s+(_[A-Z_]+) = '(\w+)'", source, re.MULTILINE))
            for method, arguments in re.findall(r'notifications\.Audit\.(\w+)\((.*?)\)\n', source, re.DOTALL):
                operation = {'added_to': 'updated', 'removed_from': 'updated'}.get(method, method)
                if operation not in ('created', 'updated', 'deleted', 'disabled') or 'public=False' in arguments:
                    continue
                resource = re.match(r'\s*(?:self\.|cls\.)?(_[A-Z_]+)', arguments)
                if resource and resource[1] in constants:
                    events[f'identity.{constants[resource[1]]}.{operation}'] = 'AuditEvent'
    for operation in ('created', 'deleted'):
        events[f'identity.role_assignment.{operation}'] = 'AuditEvent'
    keys = dict(re.findall(r'^(EVENT_KEYNAME_\w+) = "(\w+)"', pycadf.files['pycadf/event.py'], re.MULTILINE))
    objects_of = ('initiator', 'target', 'observer', 'reason')
    kinds = {'tags': '~string[]', 'measurements': '~any[]', 'attachments': '~any[]', 'reporterchain': '~any[]'}
    fields = {name: kinds.get(name, '~{any}' if name in objects_of else '~string') for name in keys.values()}
    basic = package.find('keystone/notifications.py', r'(def _send_notification\(.*?notify_event_callbacks\(SERVICE)')
    for name in re.findall(r"payload(?: = \{|\[)'(\w+)'", basic):
        fields.setdefault(name, '~string')
    for name in ('project', 'domain', 'user', 'group', 'role'):
        fields.setdefault(name, '~string')
    fields['inherited_to_projects'] = '~boolean'
    return {'AuditEvent': {'version': None, 'base': None, 'fields': fields}}, dict(sorted(events.items()))
