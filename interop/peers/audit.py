#!/usr/bin/env python3
"""The real keystonemiddleware and pyCADF on a broker: audit.py URL OURS THEIRS.

One request goes through AuditMiddleware, whose notifications go to the topic THEIRS. What comes to the topic OURS is
built again with pyCADF's own classes; a line of JSON says whether that is valid, and the same. Ends with its input.
"""

import sys
from pathlib import Path

import oslo_messaging
import webob
from keystonemiddleware import audit
from oslo_config import cfg

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'packages' / 'cadf' / 'facts'))
from rebuild import event_of  # noqa: E402

from common import emit  # noqa: E402


class Endpoint:
    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        try:
            made = event_of(payload, masked=True)
            emit('seen', event_type=event_type, valid=made.is_valid(), same=made.as_dict() == payload)
        except Exception as error:
            emit('seen', event_type=event_type, error=repr(error))


@webob.dec.wsgify
def application(request):
    return webob.Response(status=201)


def main():
    url, ours, theirs = sys.argv[1:]
    conf = cfg.CONF
    conf([], project='audit')
    group = 'audit_middleware_notifications'
    middleware = audit.AuditMiddleware(application)
    for name, value in (('driver', 'messagingv2'), ('topics', [theirs]), ('transport_url', url)):
        conf.set_override(name, value, group=group)
    middleware = audit.AuditMiddleware(application)
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    targets = [oslo_messaging.Target(topic=ours)]
    listener = oslo_messaging.get_notification_listener(transport, targets, [Endpoint()], executor='threading')
    listener.start()
    emit('ready')
    request = webob.Request.blank('/v1/orders', method='POST', headers={'X-User-Id': 'ada', 'X-Auth-Token': 'x' * 40})
    request.remote_addr = '192.0.2.7'
    request.get_response(middleware)
    sys.stdin.read()
    listener.stop()
    listener.wait()


main()
