#!/usr/bin/env python3
"""A service that logs what its calls raise, as Python services do.

Each line of standard input, {"id": 1, "method": "m", "args": {}}, is called;
what it raises is logged with its traceback, and the log's text is printed:
{"event": "result", "id": 1, "value": "<text of the log>"}.
"""
import io
import logging

import common
import oslo_messaging as om


def main():
    p = common.parser(__doc__)
    p.add_argument('--topic', required=True)
    p.add_argument('--allow-exmod', action='append', default=[])
    args = p.parse_args()
    conf = common.config(args)
    transport = om.get_rpc_transport(conf, url=args.url,
                                     allowed_remote_exmods=args.allow_exmod)
    client = om.get_rpc_client(transport, om.Target(topic=args.topic),
                               timeout=20)
    common.emit('ready')

    def handle(command):
        text = io.StringIO()
        log = logging.Logger('service')
        handler = logging.StreamHandler(text)
        handler.setFormatter(logging.Formatter('%(levelname)s %(message)s'))
        log.addHandler(handler)
        try:
            client.call({}, command['method'], **command.get('args', {}))
        except Exception:
            log.exception('Calling %s failed', command['method'])
        common.emit('result', id=command['id'], value=text.getvalue())

    common.commands(handle)
    transport.cleanup()
    common.emit('stopped')
    common.leave()


if __name__ == '__main__':
    main()
