#!/usr/bin/env python3
"""One whole side in one process: servers, clients, notifiers and listeners.

Each line of standard input is a JSON command with an `id` and a `do`; each is
answered by one line `{"event": "answer", "id": ..., "value": ...}`, or with
`error` instead of `value`.  Commands run side by side, each in a thread of its
own.  What servers and listeners get is printed as `request`, `notification`
and `batch`, with the name of who got it in `at`.
"""
import faulthandler
import json
import logging
import os
import signal
import socket
import threading
import time

import common
import listener
import notifier
import oslo_messaging as om
import rpc_server
import side_parts


class Side(object):
    """Everything that was made by command, under the names they gave."""

    def __init__(self, args):
        self.conf = common.config(args)
        self.url = args.url
        self.made = {}
        self.transports = {}
        self.lock = threading.Lock()
        self.metrics = []
        # before anything is sent: the library gives up what nobody collects
        self.socket = dict(s.split('=', 1) for s in args.settings).get(
            'oslo_messaging_metrics.metrics_socket_file')
        if self.socket:
            self.collect(self.socket)

    def transport(self, kind, url=None, allow=()):
        key = (kind, url or self.url, tuple(allow))
        with self.lock:
            if key not in self.transports:
                if kind == 'rpc':
                    self.transports[key] = om.get_rpc_transport(
                        self.conf, url=key[1],
                        allowed_remote_exmods=list(allow))
                else:
                    self.transports[key] = om.get_notification_transport(
                        self.conf, url=key[1])
            return self.transports[key]

    # --- RPC -------------------------------------------------------------
    def serve(self, c):
        transport = self.transport('rpc', c.get('url'))
        state = side_parts.State(c['name'], lambda topic: side_parts.rpc_client(
            transport, om.Target(topic=topic), timeout=10), c.get('quiet'))
        endpoints = [side_parts.Endpoint(state, e.get('namespace'),
                                         e.get('version', '1.0'))
                     for e in c.get('endpoints', [{}])]
        server = om.get_rpc_server(
            transport, om.Target(topic=c['topic'], server=c['server'],
                                 exchange=c.get('exchange')),
            endpoints,
            access_policy=rpc_server.POLICIES[c.get('policy', 'default')])
        server.start(override_pool_size=c.get('workers'))
        common.settle(c.get('url') or self.url)
        self.made[c['name']] = server

    def bad_endpoint(self, c):
        class Bad(object):
            target = 'not a target'
        om.get_rpc_server(self.transport('rpc'),
                          om.Target(topic='t', server='s'), [Bad()])

    def stop(self, c):
        server = self.made.pop(c['name'])
        server.stop()
        server.wait()

    def client(self, c):
        target = om.Target(**c.get('target', {}))
        self.made[c['name']] = side_parts.rpc_client(
            self.transport('rpc', c.get('url'), c.get('allow', ())), target,
            timeout=c.get('timeout'), version_cap=c.get('version_cap'))

    def prepared(self, c):
        options = dict(c.get('target', {}))
        for key in ('timeout', 'call_monitor_timeout', 'retry',
                    'version_cap'):
            if key in c:
                options[key] = c[key]
        if 'at_least_once' in c:
            options['transport_options'] = om.TransportOptions(
                at_least_once=c['at_least_once'])
        return self.made[c['client']].prepare(**options)

    def call(self, c):
        return self.prepared(c).call(c.get('ctxt', {}), c['method'],
                                     **c.get('args', {}))

    def cast(self, c):
        self.prepared(c).cast(c.get('ctxt', {}), c['method'],
                              **c.get('args', {}))

    def can_send_version(self, c):
        return self.prepared(c).can_send_version(c.get('version'))

    # --- notifications ---------------------------------------------------
    def notifier(self, c):
        self.made[c['name']] = om.Notifier(
            self.transport('notify', c.get('url')), c.get('publisher_id'),
            driver=c.get('driver', 'messagingv2'), topics=c['topics'],
            retry=c.get('retry'))

    def notify(self, c):
        sender = self.made[c['notifier']]
        if 'publisher_id' in c:
            sender = sender.prepare(publisher_id=c['publisher_id'])
        ctxt = notifier.Context(c['ctxt']) if 'ctxt' in c else {}
        getattr(sender, c['priority'])(ctxt, c['event_type'], c['payload'])

    def listen(self, c):
        transport = self.transport('notify', c.get('url'))
        targets = [om.Target(topic=t) for t in c['topics']]
        endpoint = listener.Endpoint(
            c.get('priorities', listener.PRIORITIES),
            bool(c.get('batch_size')), c.get('filter'),
            c.get('requeue_first', 0), at=c['name'])
        options = dict(pool=c.get('pool'),
                       allow_requeue=c.get('allow_requeue', False))
        if c.get('batch_size'):
            server = om.get_batch_notification_listener(
                transport, targets, [endpoint], batch_size=c['batch_size'],
                batch_timeout=c.get('batch_timeout'), **options)
        else:
            server = om.get_notification_listener(
                transport, targets, [endpoint], **options)
        server.start()
        common.settle(c.get('url') or self.url)
        if self.url.startswith('kafka'):
            await_partitions(server)
        self.made[c['name']] = server

    def log(self, c):
        """Log records through the library's own handler of logging."""
        handler = om.LoggingNotificationHandler(
            c.get('url') or self.url, publisher_id=c.get('publisher_id'),
            driver=c.get('driver'), topic=c['topic'])
        logger = logging.Logger(c['topic'], logging.DEBUG)
        logger.addHandler(handler)
        # kept: a Kafka producer that is forgotten forgets its messages
        self.made[c['topic']] = logger
        for level in c['levels']:
            getattr(logger, level)('at %s' % level)

    # --- watching --------------------------------------------------------
    def collect(self, path):
        """Stand in for the collector of metrics: a datagram socket."""
        box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        box.bind(path)

        def read():
            while True:
                metric = json.loads(box.recv(65536).decode())
                self.metrics.append((metric['labels'].get('topic'),
                                     metric['name']))
        threading.Thread(target=read, daemon=True).start()

    def collected(self, c):
        return [name for topic, name in self.metrics if topic == c['topic']]

    # --- the end ---------------------------------------------------------
    def run(self, c):
        started = time.time()
        try:
            value = getattr(self, c['do'])(c)
        except Exception as ex:
            common.emit('answer', id=c.get('id'),
                        error=side_parts.describe(ex),
                        seconds=round(time.time() - started, 3))
        else:
            common.emit('answer', id=c.get('id'), value=value,
                        seconds=round(time.time() - started, 3))

    def close(self):
        # each takes as long as its poll has still to wait, up to 5 s
        def stop(server):
            server.stop()
            server.wait()
        threads = [threading.Thread(target=stop, args=(server,))
                   for server in self.made.values()
                   if hasattr(server, 'wait')]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for transport in self.transports.values():
            transport.cleanup()
        if self.socket:
            os.unlink(self.socket)


def await_partitions(server):
    """A Kafka listener goes on without partitions when they take more than
    5 s; what is sent before it has them is behind its back."""
    consumer = server.listener._poll_style_listener.conn
    ends = time.time() + 30
    while not consumer.assignment_dict and time.time() < ends:
        time.sleep(0.1)


def end_with_parent():
    """Leave at once when the test process has gone: a stop may wait for a
    broker that went with it."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()


def main():
    end_with_parent()
    args = common.parser(__doc__).parse_args()
    # what its threads are doing, for whoever waits in vain
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    if 'oslo_messaging_tracing.tracing_enabled=true' in args.settings:
        # 18.3.1 takes this module from its parent without importing it, and
        # traces nothing where nobody else has imported it
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa
    side = Side(args)
    common.emit('ready', pid=os.getpid())
    common.commands(side.run)
    side.close()
    common.emit('stopped')
    common.leave()


if __name__ == '__main__':
    main()
