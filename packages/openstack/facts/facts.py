#!/usr/bin/env python3
"""Writes ../src/facts from the packages of OpenStack on PyPI: `facts.py [--check] [FOLDER]`.

FOLDER keeps the archives; what is missing is fetched by exact version (see packages.py). With --check nothing is
written, and what differs from the repository is said; exit code 1 then. Needs
Python 3.11 or newer with pip, and the workspace's oxfmt.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import notifications
import services
from packages import VERSIONS, Package, fetch

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / 'src' / 'facts'
ROOT = HERE.parents[2]
SCALARS = {'string': 'string', 'integer': 'number', 'float': 'number', 'boolean': 'boolean', 'any': 'unknown'}


def type_of(kind, prefix):
    if kind.endswith('?'):
        inner = type_of(kind[:-1], prefix)
        return inner if inner == 'unknown' else f'{inner} | null'
    if kind.endswith('[]'):
        inner = type_of(kind[:-2], prefix)
        return f'readonly {inner}[]' if ' ' not in inner else f'readonly ({inner})[]'
    if kind.startswith('{'):
        return f'Readonly<Record<string, {type_of(kind[1:-1], prefix)}>>'
    return f'{prefix}{kind[1:]}' if kind.startswith('@') else SCALARS[kind]


def member(name, kind, prefix):
    optional = '?' if kind.startswith('~') else ''
    return f'  readonly {json.dumps(name)}{optional}: {type_of(kind.removeprefix("~"), prefix)}'


def interface(what, name, fields, prefix):
    members = [member(field, kind, prefix) for field, kind in fields.items()]
    return [f'/** {what}. */', f'export interface {name} {{', *members, '}']


def module(service, source, key_prefix, objects, events):
    """The text of one file: an interface for each payload, the map from event to payload, and the same as data."""
    prefix, upper = service.capitalize(), service.upper()
    lines = [
        f'/** Made by facts/facts.py from {source}; not edited by hand. */',
        "import type { ServiceFacts } from './kinds.ts'",
    ]
    for name, each in objects.items():
        version = f' {each["version"]}' if each['version'] else ''
        extends = f' extends {prefix}{each["base"]}' if each['base'] else ''
        if each['fields']:
            lines += interface(f'`{name}`{version} of {service}', f'{prefix}{name}{extends}', each['fields'], prefix)
        else:
            lines += [f'/** `{name}`{version} of {service}. */', f'export type {prefix}{name} = {prefix}{each["base"]}']
    lines += [f'/** What {service} notifies: event type to payload. */', f'export interface {prefix}Notifications {{']
    lines += [f'  readonly {json.dumps(event)}: {prefix}{payload}' for event, payload in sorted(events.items())] + ['}']
    data = {
        'service': service,
        'source': source,
        'prefix': key_prefix,
        'objects': {
            name: {key: value for key, value in each.items() if value is not None} for name, each in objects.items()
        },
        'events': dict(sorted(events.items())),
    }
    lines += [
        f'/** The payloads of {service} as data, to check what arrives. */',
        f'export const {upper}: ServiceFacts = {json.dumps(data, indent=2)}',
    ]
    return '\n'.join(lines) + '\n'


def neutron_module(source, resources):
    """The text of neutron.ts: its resources, and by name what resources.ts makes of each."""
    lines = [
        f'/** Made by facts/facts.py from {source}; not edited by hand. */',
        "import type { ServiceFacts } from './kinds.ts'",
        'import { type Requested, resourceFacts, type ResourceNotifications, type ResourcePayloads }'
        " from './resources.ts'",
    ]
    for resource, each in resources.items():
        name = f'Neutron{each["className"]}'
        lines += interface(f'`{resource}`, as the API of neutron shows it', name, each['fields'], 'Neutron')
        lines += [f'/** `{resource}`, as a request has it. */', f'export type {name}Request = Requested<{name}>']
        for action in ('create', 'update', 'delete'):
            for phase in ('start', 'end'):
                payload = f"ResourcePayloads<'{resource}', {name}>['{action}.{phase}']"
                lines += [
                    f'/** The payload of `{resource}.{action}.{phase}`. */',
                    f'export type {name}{action.capitalize()}{phase.capitalize()} = {payload}',
                ]
    bases = ', '.join(
        f"ResourceNotifications<'{name}', Neutron{each['className']}>" for name, each in resources.items()
    )
    lines += [
        '/** What neutron notifies: event type to payload. */',
        f'export interface NeutronNotifications extends {bases} {{}}',
        '/** The payloads of neutron as data, to check what arrives. */',
        "export const NEUTRON: ServiceFacts = { service: 'neutron', prefix: null,",
        f'source: {json.dumps(source)}, ...resourceFacts({json.dumps(resources, indent=2)}) }}',
    ]
    return '\n'.join(lines) + '\n'


def service_table(rows):
    data = [
        {key: value for key, value in row.items() if key != 'sources'} | {'sources': row['sources']} for row in rows
    ]
    return (
        '\n'.join(
            [
                '/** Made by facts/facts.py; not edited by hand. */',
                "import type { ServiceInterface } from '../services.ts'",
                '/** Every row, with the package version and the file that each fact was read from. */',
                f'export const SERVICE_ROWS: readonly ServiceInterface[] = {json.dumps(data, indent=2)}',
            ]
        )
        + '\n'
    )


def write_all(folder):
    fetch(folder)
    packages = {name: Package(folder, name) for name in VERSIONS}

    def source(*names):
        return ', '.join(f'{name} {VERSIONS[name]}' for name in names)

    texts = {'services.ts': service_table(list(services.read(packages)))}
    for service, names, key_prefix, found in (
        ('nova', ['nova'], 'nova_object', notifications.nova(packages['nova'])),
        ('ironic', ['ironic'], 'ironic_object', notifications.ironic(packages['ironic'])),
        ('cinder', ['cinder'], None, notifications.cinder(packages['cinder'])),
        ('keystone', ['keystone', 'pycadf'], None, notifications.keystone(packages['keystone'], packages['pycadf'])),
    ):
        texts[f'{service}.ts'] = module(service, source(*names), key_prefix, *found)
    resources = notifications.neutron(packages['neutron'], packages['neutron-lib'])
    texts['neutron.ts'] = neutron_module(source('neutron', 'neutron-lib'), resources)
    return texts


def main():
    arguments = [each for each in sys.argv[1:] if each != '--check']
    folder = arguments[0] if arguments else str(Path(gettempdir()) / 'oslo-messaging-facts')
    before = {path.name: path.read_text() for path in TARGET.glob('*.ts')}
    texts = write_all(folder)
    for name, text in texts.items():
        (TARGET / name).write_text(text)
    subprocess.run([ROOT / 'node_modules/.bin/oxfmt', *(TARGET / name for name in texts)], check=True, cwd=ROOT)
    differs = [name for name in texts if (TARGET / name).read_text() != before.get(name)]
    if '--check' in sys.argv:
        for name in differs:
            (TARGET / name).write_text(before[name]) if name in before else (TARGET / name).unlink()
        print(f'{len(texts)} files, {len(differs)} differ' + ''.join(f'\n  {name}' for name in differs))
        sys.exit(1 if differs else 0)
    for name, text in sorted(texts.items()):
        print(f'{name}: {len(re.findall("^export interface|^export type", text, re.MULTILINE))} types')


main()
