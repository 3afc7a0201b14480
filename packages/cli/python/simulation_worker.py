"""One side of `oslo-msg simulate`, played by Python's oslo.messaging.

Reads orders from standard input and writes what happens to standard output,
one JSON value a line: {"plan": ...} is answered by {"ready": ...},
{"begin": "<ns of the monotonic clock>"} by {"sent": true} after the last
message has ended, and the end of the input closes everything. What happens
to messages is told meanwhile as {"events": [...]}.
"""
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import warnings
from concurrent import futures

warnings.simplefilter('ignore')

from oslo_config import cfg  # noqa: E402
import oslo_messaging as om  # noqa: E402

TELL_S = 0.1
CLOSE_S = 25
WORDS = 'instance flavor image volume network "state": active, {"id": 7} \n'


class Teller(object):
    """Writes lines, and events in batches."""

    def __init__(self):
        self._lock = threading.Lock()
        self._events = []
        self.began = None

    def now(self):
        return (time.clock_gettime_ns(time.CLOCK_MONOTONIC) - self.began) / 1e6

    def line(self, value):
        with self._lock:
            sys.stdout.write(json.dumps(value) + '\n')
            sys.stdout.flush()

    def event(self, kind, **fields):
        fields['kind'] = kind
        with self._lock:
            self._events.append(fields)

    def flush(self):
        with self._lock:
            events, self._events = self._events, []
        if events:
            self.line({'events': events})

    def keep_flushing(self):
        while True:
            time.sleep(TELL_S)
            self.flush()


class Worker(object):
    def __init__(self, plan, teller):
        self.plan = plan
        self.teller = teller
        self.transports = []
        self.servers = []
        self.senders = []
        self.drivers = []
        self.halted = threading.Event()
        self._number = plan['numbers']['first']
        self._numbers = threading.Lock()
        words = ['--config-file=' + name for name in plan['configFile']]
        words += ['--config-dir=' + name for name in plan['configDir']]
        cfg.CONF(words, project='oslo-msg', prog='oslo-msg',
                 default_config_files=[], default_config_dirs=[])
        # Only lines of the protocol, and what is asked for with --debug.
        level = logging.DEBUG if plan['debug'] else logging.CRITICAL
        logging.basicConfig(stream=sys.stderr, level=level)
        logging.getLogger('oslo_messaging').setLevel(level)
        size = plan['bytes']
        self.cargo = (WORDS * (size // len(WORDS) + 1))[:size]

    def open(self):
        if self.plan['profile'] != 'notify':
            self._open_rpc()
        if self.plan['profile'] != 'rpc':
            self._open_bus()

    def _handled(self, number, reader, member):
        at = self.teller.now()
        self.teller.event('handled', at=at, message=number, reader=reader,
                          member=member, redelivered=False)
        self.teller.event('settled', at=at, message=number, reader=reader)

    def _open_rpc(self):
        worker = self

        class Endpoint(object):
            def __init__(self, member):
                self._member = member

            def take(self, ctxt, n, cargo):
                worker._handled(n, 'servers', self._member)
                return n

        self.drivers.append('rpc by Python')
        transport = om.get_rpc_transport(cfg.CONF, url=self.plan['rpcUrl'])
        self.transports.append(transport)
        for index in self.plan['servers']:
            name = 'server-%d' % (index + 1)
            target = om.Target(topic=self.plan['topic'], server=name)
            self._start(om.get_rpc_server(transport, target,
                                          [Endpoint(name)],
                                          executor='threading'))
        if not self.plan['sends']:
            return
        client = om.get_rpc_client(
            transport, om.Target(topic=self.plan['topic']),
            timeout=self.plan['timeoutMs'] / 1000.0)

        def send():
            number = self._begin('rpc')
            answer = client.call({}, 'take', n=number, cargo=self.cargo)
            self.teller.event('replied', at=self.teller.now(), message=number,
                              answer=answer)
            return number
        self.senders.append(send)

    def _open_bus(self):
        worker = self

        class Endpoint(object):
            def __init__(self, member):
                self._member = member

            def info(self, ctxt, publisher, event_type, payload, metadata):
                worker._handled(payload['n'], 'listeners', self._member)

        self.drivers.append('notifications by Python')
        topic = self.plan['topic'] + '-notifications'
        transport = om.get_notification_transport(
            cfg.CONF, url=self.plan['notifyUrl'])
        self.transports.append(transport)
        for index in self.plan['servers']:
            self._start(om.get_notification_listener(
                transport, [om.Target(topic=topic)],
                [Endpoint('listener-%d' % (index + 1))],
                executor='threading'))
        if not self.plan['sends']:
            return
        notifier = om.Notifier(transport, publisher_id='oslo-msg',
                               driver='messagingv2', topics=[topic])

        def send():
            number = self._begin('bus')
            notifier.info({}, 'oslo-msg.simulate',
                          {'n': number, 'cargo': self.cargo})
            return number
        self.senders.append(send)

    def _start(self, server):
        server.start()
        self.servers.append(server)

    def _begin(self, place):
        with self._numbers:
            number = self._number
            self._number += self.plan['numbers']['step']
        at = self.teller.now()
        self.teller.event('sent', at=at, message=number, place=place,
                          dueAt=at + self.plan['timeoutMs'])
        self._current.number = number
        return number

    _current = threading.local()

    def _send(self, sender, room):
        try:
            self._current.number = None
            number = sender()
            self.teller.event('resolved', at=self.teller.now(), message=number)
        except Exception as error:
            number = self._current.number
            if number is not None:
                self.teller.event('rejected', at=self.teller.now(),
                                  message=number, delivery='unknown',
                                  name=type(error).__name__ + ', unknown')
        finally:
            room.release()

    def send(self):
        if self.plan['sends']:
            self._generate()
        self.teller.flush()
        self.teller.line({'sent': True})

    def _generate(self):
        most = self.plan['concurrency']
        room = threading.Semaphore(most)
        done = 0
        with futures.ThreadPoolExecutor(most) as pool:
            while not self.halted.is_set():
                elapsed = self.teller.now()
                if elapsed >= self.plan['durationMs']:
                    break
                due = int(elapsed / 1000.0 * self.plan['rate'])
                while done < due and room.acquire(blocking=False):
                    sender = self.senders[done % len(self.senders)]
                    done += 1
                    pool.submit(self._send, sender, room)
                # What could not be begun in time is not made up for.
                done = max(done, due)
                time.sleep(0.005)

    def close(self):
        for server in self.servers:
            server.stop()
            server.wait()
        for transport in self.transports:
            transport.cleanup()


def read_orders(orders):
    """Reads them in a thread of its own, so that their end is always seen."""
    try:
        for text in sys.stdin:
            orders.put(json.loads(text))
    finally:
        orders.put(None)
        # oslo.messaging connects for ever, and nobody waits for it any more.
        time.sleep(CLOSE_S)
        os._exit(1)


def main():
    # Ctrl-C at a terminal, and its end, reach every process of the run; the
    # first one says what is to be done.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    orders = queue.Queue()
    threading.Thread(target=read_orders, args=(orders,), daemon=True).start()
    teller = Teller()
    worker = None
    sending = None
    for order in iter(orders.get, None):
        try:
            if 'plan' in order:
                teller.began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
                worker = Worker(order['plan'], teller)
                worker.open()
                teller.line({'ready': {'drivers': worker.drivers,
                                       'readers': {}}})
            elif 'begin' in order:
                teller.began = int(order['begin'])
                threading.Thread(target=teller.keep_flushing,
                                 daemon=True).start()
                sending = threading.Thread(target=worker.send, daemon=True)
                sending.start()
            else:
                worker.halted.set()
        except Exception as error:
            text = str(error).split('\n')[0]
            teller.line({'failed': '%s: %s' % (type(error).__name__, text)})
    if worker is not None:
        worker.halted.set()
        if sending is not None:
            sending.join()
        try:
            worker.close()
        except Exception as error:
            sys.stderr.write('oslo-msg: while tidying up: %s\n' % error)
    teller.flush()
    sys.stdout.flush()
    os._exit(0)


if __name__ == '__main__':
    main()
