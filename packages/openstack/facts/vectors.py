#!/usr/bin/env python3
"""Writes ../test/vectors from the real libraries: run in an environment with oslo.context 6.5.0 and nova 34.0.0.

Contexts: what oslo.context makes of keyword arguments, dictionaries and request environments. Payloads: one object of
every payload class of nova's notifications, filled by the kinds of its own fields, as nova's serializer writes it.
"""

import datetime
import importlib
import json
import pkgutil
from pathlib import Path

from oslo_context import context

VECTORS = Path(__file__).resolve().parent.parent / 'test' / 'vectors'

FULL = {
    'auth_token': 'secret-token',
    'user_id': 'u-1',
    'project_id': 'p-1',
    'domain_id': 'd-1',
    'user_domain_id': 'ud-1',
    'project_domain_id': 'pd-1',
    'is_admin': True,
    'read_only': True,
    'show_deleted': True,
    'request_id': 'req-1',
    'resource_uuid': 'res-1',
    'roles': ['admin', 'reader'],
    'user_name': 'ada',
    'project_name': 'engines',
    'domain_name': 'dom',
    'user_domain_name': 'udom',
    'project_domain_name': 'pdom',
    'is_admin_project': False,
    'service_token': 'secret-service',
    'service_user_id': 'su-1',
    'service_user_name': 'svc',
    'service_user_domain_id': 'sud-1',
    'service_user_domain_name': 'sudom',
    'service_project_id': 'sp-1',
    'service_project_name': 'sproj',
    'service_project_domain_id': 'spd-1',
    'service_project_domain_name': 'spdom',
    'service_roles': ['service'],
    'global_request_id': 'req-global',
    'system_scope': 'all',
}
KWARGS = {
    'full': FULL,
    'only a request id': {'request_id': 'req-2'},
    'is_admin unknown': {'request_id': 'req-3', 'is_admin': None},
    'no token': {**FULL, 'auth_token': None},
    'empty ids': {'request_id': 'req-4', 'user_id': '', 'project_id': ''},
}
DICTS = {
    'what to_dict gives': context.RequestContext(**FULL).to_dict(),
    'with names': {**context.RequestContext(**FULL).to_dict(), 'user_name': 'ada', 'project_name': 'engines'},
    'old keys only': {'user': 'u-9', 'project_id': 'p-9', 'request_id': 'req-5'},
    'null admin': {'is_admin': None, 'request_id': 'req-6'},
    'null roles': {'roles': None, 'request_id': 'req-7'},
}
ENVIRONS = {
    'of keystonemiddleware': {
        'HTTP_X_AUTH_TOKEN': 't',
        'HTTP_X_USER_ID': 'u',
        'HTTP_X_PROJECT_ID': 'p',
        'HTTP_X_USER_NAME': 'ada',
        'HTTP_X_ROLES': 'admin, reader',
        'HTTP_X_IS_ADMIN_PROJECT': 'False',
        'HTTP_X_SERVICE_ROLES': 'service',
        'HTTP_X_USER_DOMAIN_ID': 'ud',
        'HTTP_OPENSTACK_SYSTEM_SCOPE': 'all',
    },
    'old names': {'HTTP_X_TENANT_ID': 'p', 'HTTP_X_TENANT_NAME': 'engines', 'HTTP_X_ROLE': 'member'},
    'storage token': {'HTTP_X_STORAGE_TOKEN': 's', 'HTTP_X_USER': 'u', 'HTTP_X_TENANT': 'p'},
    'nothing': {},
}


def shown(made):
    return {
        'dict': made.to_dict(),
        'logging': made.get_logging_values(),
        'redacted': made.redacted_copy().to_dict(),
        'redacted_logging': made.redacted_copy().get_logging_values(),
    }


def contexts():
    return {
        'made': [
            {'name': name, 'kwargs': kwargs, **shown(context.RequestContext(**kwargs))}
            for name, kwargs in KWARGS.items()
        ],
        'from_dict': [
            {'name': name, 'values': values, **shown(context.RequestContext.from_dict(values))}
            for name, values in DICTS.items()
        ],
        'from_environ': [
            {
                'name': name,
                'environ': environ,
                **shown(context.RequestContext.from_environ(environ, request_id='req-e')),
            }
            for name, environ in ENVIRONS.items()
        ],
    }


def payloads():
    from nova import objects
    from nova.notifications.objects import base
    import nova.notifications.objects as package
    from nova.objects import base as nova_base

    objects.register_all()
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f'{package.__name__}.{module.name}')
    found = {}
    registry = nova_base.NovaObjectRegistry.notification_classes
    by_name = {cls.__name__: cls for cls in registry}
    for cls in registry:
        if issubclass(cls, base.NotificationPayloadBase):
            found[cls.__name__] = filled(cls, by_name, nova_base).obj_to_primitive()
    return dict(sorted(found.items()))


def filled(cls, by_name, nova_base):
    made = cls.__new__(cls)
    nova_base.NovaObject.__init__(made)
    for name, field in cls.fields.items():
        setattr(made, name, value_of(field, by_name, nova_base))
    made.obj_reset_changes(recursive=True)
    return made


def value_of(field, by_name, nova_base):
    from oslo_versionedobjects import fields as library

    if isinstance(field, library.ListOfObjectsField):
        return [filled(by_name[field._type._element_type._type._obj_name], by_name, nova_base)]
    if isinstance(field, library.ObjectField):
        return filled(by_name[field._type._obj_name], by_name, nova_base)
    element = getattr(getattr(field._type, '_element_type', None), '_type', None)
    element_valid = list(getattr(element, 'valid_values', None) or [])
    valid = getattr(field, 'valid_values', None)
    candidates = [
        *(list(valid)[:1] if valid else []),
        *([element_valid[:1]] if element_valid else []),
        '5d9cd5a6-9d4d-4a5c-9c2b-7e4b3c5d6e7f',
        '192.0.2.1',
        'fa:16:3e:4c:2c:30',
        'text',
        '>=1.0',
        7,
        1.5,
        True,
        datetime.datetime(2026, 11, 28, 12, 0, tzinfo=datetime.timezone.utc),
        {'a': 'b'},
        {'a': 1},
        {'a': ['b']},
        ['a'],
        [1],
        [{'a': 'b'}],
        [['a']],
        [{'a': None}],
        [[{'a': 'b'}]],
        [{1}],
        {1},
    ]
    for candidate in candidates:
        try:
            coerced = field.coerce(None, 'x', candidate)
            primitive = field.to_primitive(None, 'x', coerced)
        except Exception:  # noqa: BLE001 - the next candidate may fit
            continue
        kind = type(field).__name__
        if ('Integer' in kind and isinstance(candidate, str)) or ('Bool' in kind and not isinstance(candidate, bool)):
            continue
        if 'Float' in kind and not isinstance(candidate, float):
            continue
        if isinstance(primitive, (str, int, float, bool, dict, list, tuple)) or primitive is None:
            return candidate
    raise SystemExit(f'no value fits {type(field).__name__} {field!r} {vars(field._type)}')


def main():
    VECTORS.mkdir(parents=True, exist_ok=True)
    for name, make in (('contexts', contexts), ('nova-payloads', payloads)):
        (VECTORS / f'{name}.json').write_text(json.dumps(make(), indent=2, sort_keys=False, default=str) + '\n')
        print(name)


main()
