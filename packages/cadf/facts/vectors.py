#!/usr/bin/env python3
"""Writes ../test/vectors/events.json: run in an environment with pyCADF 4.1.0.

Events: the fields, and what pyCADF makes of them. Refused: fields that pyCADF takes for no event, each with the name of
the one that is wrong. Masked: tokens, and what pyCADF shows of them.
"""

import copy
import json
import warnings
from pathlib import Path

from pycadf import utils

from rebuild import event_of

warnings.simplefilter('ignore')
TARGET = Path(__file__).resolve().parent.parent / 'test' / 'vectors' / 'events.json'

SMALL = {
    'id': '5f0c6c9c-0d3e-4d44-9d43-3f3f0f6a8d11',
    'eventTime': '2026-11-28T21:30:00.000000+0000',
    'action': 'create',
    'outcome': 'success',
    'initiator': {'id': 'ada', 'typeURI': 'service/security/account/user'},
    'target': {'id': 'web-1', 'typeURI': 'compute/server'},
    'observer': {'id': 'target'},
}
FULL = {
    **SMALL,
    'eventType': 'monitor',
    'action': 'update/os-resetState',
    'outcome': 'failure',
    'name': 'an event',
    'severity': 'high',
    'initiator': {
        'id': 'a9f1f0c2-9e6e-4a3a-8a3d-6f1f5d7b8c90',
        'typeURI': 'service/security/account/user',
        'name': 'ada',
        'ref': 'http://keystone/users/ada',
        'domain': 'default',
        'credential': {'token': 'gAAAAABm-0123456789abcdefghijklmnopqrstuvwxyz', 'type': 'token', 'identity_status': 'Confirmed'},
        'host': {'id': 'host-1', 'address': '192.0.2.7', 'agent': 'curl/8', 'platform': 'linux'},
        'geolocation': {
            'id': 'geo-1',
            'latitude': '48.2',
            'longitude': '16.4',
            'elevation': '190',
            'accuracy': '10',
            'city': 'Vienna',
            'state': 'Vienna',
            'regionICANN': 'at',
        },
        'project_id': 'engines',
        'user_id': 'ada',
    },
    'target': {
        'id': 'web-1',
        'typeURI': 'service/compute/servers/server/action',
        'addresses': [{'url': 'http://nova:8774/v2.1', 'name': 'admin', 'port': '8774'}, {'url': 'http://nova/'}],
        'attachments': [{'typeURI': 'text/plain', 'content': 'note', 'name': 'why'}],
        'geolocationId': 'geo-2',
    },
    'observer': {'id': 'filter-1', 'typeURI': 'service/security/audit/filter', 'name': 'filter'},
    'reason': {'reasonType': 'HTTP', 'reasonCode': '409', 'policyType': 'p', 'policyId': 'q'},
    'tags': ['correlation_id?value=7', 'plain'],
    'attachments': [{'typeURI': 'application/json', 'content': {'a': [1, None]}, 'name': 'body'}],
    'measurements': [
        {'result': 7, 'metric': {'metricId': 'm-1', 'unit': 's', 'name': 'time'}, 'calculatedBy': {'id': 'me', 'typeURI': 'service'}},
        {'result': '7', 'metricId': 'm-2'},
    ],
    'reporterchain': [
        {'role': 'modifier', 'reporter': {'id': 'target'}, 'reporterTime': '2026-11-28T21:30:01.000000+0000'},
        {'role': 'relay', 'reporterId': 'relay-1'},
    ],
    'requestPath': '/v2.1/servers/web-1/action?x=1',
}
IDS = {
    **{name: value for name, value in SMALL.items() if name not in ('initiator', 'target', 'observer')},
    'initiatorId': 'initiator',
    'targetId': 'web-1',
    'observerId': 'observer',
}
POLICY = {**SMALL, 'eventType': 'control', 'action': 'deny', 'reason': {'policyType': 'rbac', 'policyId': 'admin'}}
BARE = {name: SMALL[name] for name in ('id', 'eventTime', 'initiator', 'target', 'observer')}


def changed(path, value):
    """FULL with one field replaced, or removed when value is ...."""
    fields = copy.deepcopy(FULL)
    *way, last = path
    place = fields
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return fields


REFUSED = {
    'event.eventType': changed(['eventType'], 'party'),
    'event.id': changed(['id'], ['x']),
    'event.eventTime': changed(['eventTime'], 7),
    'event.action': changed(['action'], 'dance'),
    'event.outcome': changed(['outcome'], 'maybe'),
    'event.initiator': changed(['initiator'], ...),
    'event.initiator.id': changed(['initiator', 'id'], 'initiator'),
    'event.target.id': changed(['target', 'id'], 'target'),
    'event.target.typeURI': changed(['target', 'typeURI'], 'spaceship'),
    'event.observer': changed(['observer'], ...),
    'event.observer.typeURI': changed(['observer'], {'id': 'target', 'name': 'more than a word'}),
    'event.observer.id': changed(['observer', 'id'], 7),
    'event.observerId': {**IDS, 'observerId': ''},
    'event.targetId': {**IDS, 'targetId': 7},
    'event.target': {**SMALL, 'targetId': 'both'},
    'event.name': changed(['name'], 7),
    'event.severity': changed(['severity'], 7),
    'event.reason': changed(['reason'], {'reasonCode': '409'}),
    'event.reason.reasonCode': changed(['reason', 'reasonCode'], 409),
    'event.initiator.name': changed(['initiator', 'name'], 7),
    'event.initiator.host.address': changed(['initiator', 'host', 'address'], 7),
    'event.initiator.geolocation.latitude': changed(['initiator', 'geolocation', 'latitude'], 48.2),
    'event.initiator.credential.type': changed(['initiator', 'credential', 'type'], 7),
    'event.target.addresses[1].url': changed(['target', 'addresses', 1, 'url'], 7),
    'event.target.attachments[0].name': changed(['target', 'attachments', 0, 'name'], ...),
    'event.tags[1]': changed(['tags', 1], 7),
    'event.attachments[0].typeURI': changed(['attachments', 0, 'typeURI'], 7),
    'event.measurements[1].metric': changed(['measurements', 1, 'metricId'], ...),
    'event.measurements[1].result': changed(['measurements', 1, 'result'], ...),
    'event.measurements[0].metric.unit': changed(['measurements', 0, 'metric', 'unit'], 7),
    'event.reporterchain[0].role': changed(['reporterchain', 0, 'role'], 'spy'),
    'event.reporterchain[1].reporter': changed(['reporterchain', 1, 'reporterId'], ...),
}
TOKENS = ['', 'abcdefgh', 'x' * 4 + 'y' * 8, 'a' * 20, 'b' * 28, 'c' * 183, 'd' * 255, 'e' * 260, 'f' * 1000]


def is_refused(fields):
    try:
        return not event_of(fields, masked=False).is_valid()
    except (ValueError, TypeError):
        return True


def main():
    events = {'small': SMALL, 'full': FULL, 'ids': IDS, 'policy': POLICY, 'bare': BARE}
    taken = [field for field, fields in REFUSED.items() if not is_refused(fields)]
    if taken:
        raise SystemExit(f'pyCADF takes {", ".join(taken)}')
    made = {name: (fields, event_of(fields, masked=False)) for name, fields in events.items()}
    invalid = [name for name, (_, each) in made.items() if not each.is_valid()]
    if invalid:
        raise SystemExit(f'pyCADF refuses {", ".join(invalid)}')
    vectors = {
        'events': [{'name': name, 'fields': fields, 'dict': each.as_dict()} for name, (fields, each) in made.items()],
        'refused': [{'field': field, 'fields': fields} for field, fields in REFUSED.items()],
        'masked': [{'token': token, 'shown': utils.mask_value(token)} for token in TOKENS],
    }
    TARGET.write_text(json.dumps(vectors, indent=2) + '\n')
    print(f'{len(events)} events, {len(REFUSED)} refused, {len(TOKENS)} masked')


main()
