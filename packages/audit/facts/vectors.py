#!/usr/bin/env python3
"""Writes ../test/vectors/requests.json: run in an environment with keystonemiddleware 13.0.1 and oslo.messaging.

Each request goes through the real AuditMiddleware; its two notifications are taken where they would be sent. What is
new in every run (ids, times) is replaced by a word.
"""

import json
import re
import tempfile
import warnings
from pathlib import Path

import webob
from keystonemiddleware import audit
from oslo_config import cfg

warnings.simplefilter('ignore')
TARGET = Path(__file__).resolve().parent.parent / 'test' / 'vectors' / 'requests.json'

MAP = """
# A map with every section.
[DEFAULT]
target_endpoint_type = compute

[custom_actions]
reboot = start/reboot
os-migrations/get = read
OS-Upper/post = update

[path_keywords]
servers = server
action = None
detail = None
metadata = key
limits: None

[service_endpoints]
compute = service/compute
"""
CATALOG = [
    {'name': 'empty', 'type': 'empty', 'endpoints': []},
    {
        'name': 'nova',
        'type': 'compute',
        'endpoints': [
            {
                'id': 'endpoint-1',
                'adminURL': 'http://nova:8774/v2.1/p',
                'internalURL': 'http://nova-internal:8774/v2.1/p',
                'publicURL': 'http://nova-public:8774/v2.1/p',
            }
        ],
    },
    {'name': 'glance', 'type': 'image', 'endpoints': [{'adminURL': 'http://glance:9292', 'publicURL': 'http://glance:9292'}]},
]
WHO = {
    'X-User-Id': 'u-1',
    'X-User-Name': 'ada',
    'X-Project-Id': 'engines',
    'X-Auth-Token': 'gAAAAABm-0123456789abcdefghijklmnopqrstuvwxyz',
    'X-Identity-Status': 'Confirmed',
    'X-Service-Catalog': json.dumps(CATALOG),
    'User-Agent': 'openstacksdk/4',
}
REQUESTS = [
    ('list', 'GET', '/v2.1/servers', 'nova:8774', WHO, None, 200),
    ('detail', 'GET', '/v2.1/servers/detail?limit=1&marker=a%20b', 'nova:8774', WHO, None, 200),
    ('read', 'GET', '/v2.1/servers/7', 'nova-public:8774', WHO, None, 200),
    ('create', 'POST', '/v2.1/servers', 'nova:8774', WHO, {'server': {}}, 202),
    ('action', 'POST', '/v2.1/servers/7/action', 'nova:8774', WHO, {'os-resetState': {}, 'more': 1}, 202),
    ('action without a body', 'POST', '/v2.1/servers/7/action', 'nova:8774', WHO, None, 400),
    ('action with an empty body', 'POST', '/v2.1/servers/7/action', 'nova:8774', WHO, {}, 400),
    ('unknown path', 'POST', '/v2.1/servers/7', 'nova:8774', WHO, None, 404),
    ('custom', 'POST', '/v2.1/servers/7/reboot', 'nova:8774', WHO, None, 202),
    ('custom by method', 'GET', '/v2.1/os-migrations', 'nova:8774', WHO, None, 200),
    ('custom in upper case', 'POST', '/v2.1/os-upper', 'nova:8774', WHO, None, 200),
    ('json', 'GET', '/v2.1/servers.json', 'nova:8774', WHO, None, 200),
    ('slash', 'GET', '/v2.1/servers/', 'nova:8774', WHO, None, 200),
    ('put', 'PUT', '/v2.1/servers/7/metadata/colour', 'nova:8774', WHO, None, 200),
    ('patch', 'PATCH', '/v2.1/servers/7', 'nova:8774', WHO, None, 200),
    ('delete', 'DELETE', '/v2.1/servers/7', 'nova:8774', WHO, None, 204),
    ('head', 'HEAD', '/v2.1/servers/7', 'nova:8774', WHO, None, 200),
    ('options', 'OPTIONS', '/v2.1/limits/7', 'nova:8774', WHO, None, 200),
    ('another service', 'GET', '/v2/images', 'glance:9292', WHO, None, 200),
    ('no port', 'GET', '/v2.1/servers', 'nova', WHO, None, 302),
    ('another host', 'GET', '/v2.1/servers', 'elsewhere:1', WHO, None, 500),
    ('nobody', 'GET', '/v2.1/servers', 'nova:8774', {}, None, 401),
    ('empty catalog', 'GET', '/v2.1/servers', 'nova:8774', {**WHO, 'X-Service-Catalog': '[]'}, None, 403),
    ('short token', 'GET', '/v2.1/servers', 'nova:8774', {**WHO, 'X-Auth-Token': '0123456789ab'}, None, 200),
    ('crash', 'GET', '/v2.1/servers', 'nova:8774', WHO, None, None),
]


class Taken:
    def __init__(self):
        self.sent = []

    def notify(self, context, event_type, payload):
        self.sent.append({'event_type': event_type, 'payload': normalized(json.loads(json.dumps(payload)))})


def normalized(payload):
    for name in ('id', 'eventTime'):
        payload[name] = f'<{name}>'
    payload['tags'] = [re.sub(r'=.*', '=<uuid>', each) for each in payload['tags']]
    for step in payload.get('reporterchain', []):
        step['reporterTime'] = '<time>'
    return payload


def run(middleware, method, url, host, headers, body, status):
    middleware._notifier = Taken()
    more = {} if body is None else {'json': body}
    request = webob.Request.blank(url, method=method, headers={**headers, 'Host': host}, **more)
    request.remote_addr = '192.0.2.7'
    request.environ['answer'] = status
    try:
        request.get_response(middleware)
    except RuntimeError:
        pass
    return middleware._notifier.sent


@webob.dec.wsgify
def application(request):
    if request.environ['answer'] is None:
        raise RuntimeError('crash')
    return webob.Response(status=request.environ['answer'])


def main():
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as file:
        file.write(MAP)
        file.flush()
        cfg.CONF([], project='audit')
        cfg.CONF.set_override('driver', 'noop', group='audit_middleware_notifications')
        middleware = audit.AuditMiddleware(application, audit_map_file=file.name)
        requests = []
        for name, method, url, host, headers, body, status in REQUESTS:
            sent = run(middleware, method, url, host, headers, body, status)
            requests.append(
                {
                    'name': name,
                    'method': method,
                    'url': url,
                    'headers': {key.lower(): value for key, value in {**headers, 'Host': host}.items()},
                    'body': body,
                    'status': status,
                    'sent': sent,
                }
            )
    TARGET.write_text(json.dumps({'map': MAP, 'requests': requests}, indent=2) + '\n')
    print(f'{len(requests)} requests, {sum(len(each["sent"]) for each in requests)} notifications')


main()
