"""The real oslo.messaging, and the client library below it, as contestants.

Argument: transport URL.  Each line of standard input is a JSON task, each is answered with one line:

  {"do": "notify", "topic": t, "callers": n, "seconds": s, "bytes": b}    notifications as the library sends them, then a flush
  {"do": "produce", "topic": t, "seconds": s, "bytes": b}                 confluent-kafka: 1,000 at a time, then a flush
  {"do": "listen", "topic": t, "pool": p, "count": n}                     reads so many with the library's listener
"""
import json
import sys
import threading
import time
import uuid
import warnings

warnings.simplefilter('ignore')

import confluent_kafka  # noqa: E402
from oslo_config import cfg  # noqa: E402
import oslo_messaging as om  # noqa: E402

URL = sys.argv[1]
BROKERS = URL.split('://')[1].split('/')[0]
PUBLISHER = 'bench'
# The library loses the first record of a starting listener.
LOST_AT_START = 1

conf = cfg.CONF
conf([], project='bench', default_config_files=[], default_config_dirs=[])
sys.argv[0] = 'bench'
transport = om.get_notification_transport(conf, url=URL)


def timed(work):
    """Runs work(), which returns how many it did, and says how long it took and what CPU time."""
    cpu, start = time.process_time(), time.perf_counter()
    done = work()
    return {'operations': done, 'elapsedMs': (time.perf_counter() - start) * 1e3,
            'cpuUs': (time.process_time() - cpu) * 1e6}


def notify(task):
    notifier = om.Notifier(transport, PUBLISHER, driver='messagingv2', topics=[task['topic']])
    payload = {'text': 'x' * task['bytes']}
    end = time.perf_counter() + task['seconds']
    counts = [0] * task['callers']

    def caller(index):
        while time.perf_counter() < end:
            notifier.info({}, 'bench', payload)
            counts[index] += 1

    def work():
        threads = [threading.Thread(target=caller, args=(n,)) for n in range(task['callers'])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # It does not wait for the broker: whoever wants to know that everything is stored waits here.
        transport._driver.pconn.producer.flush()
        return sum(counts)
    return timed(work)


def produce(task):
    producer = confluent_kafka.Producer({'bootstrap.servers': BROKERS, 'linger.ms': 0})
    message = {'message_id': str(uuid.uuid4()), 'publisher_id': PUBLISHER, 'event_type': 'bench', 'priority': 'INFO',
               'payload': {'text': 'x' * task['bytes']}, 'timestamp': '2026-01-01 00:00:00.000000', '_context': {}}
    value = json.dumps({'oslo.version': '2.0', 'oslo.message': json.dumps(message)}).encode()
    end = time.perf_counter() + task['seconds']

    def work():
        done = 0
        while time.perf_counter() < end:
            for _ in range(1000):
                producer.produce(task['topic'] + '.info', value)
            producer.flush()
            done += 1000
        return done
    return timed(work)


class Reader(object):
    def __init__(self, count):
        self.count = count
        self.seen = 0
        self.first = self.last = self.cpu = None
        self.done = threading.Event()

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        self.last = time.perf_counter()
        if self.first is None:
            self.first, self.cpu = self.last, time.process_time()
        self.seen += 1
        if self.seen >= self.count:
            self.cpu = time.process_time() - self.cpu
            self.done.set()


def listen(task):
    reader = Reader(max(1, task['count'] - LOST_AT_START))
    server = om.get_notification_listener(transport, [om.Target(topic=task['topic'])], [reader], pool=task['pool'],
                                          executor='threading')
    server.start()
    answer({'ready': True})
    reader.done.wait()
    server.stop()
    server.wait()
    for listener in transport._driver.listeners:
        listener.close()
    transport._driver.listeners = []
    return {'operations': max(1, reader.seen - 1), 'elapsedMs': (reader.last - reader.first) * 1e3,
            'cpuUs': reader.cpu * 1e6}


def answer(value):
    sys.stdout.write(json.dumps(value) + '\n')
    sys.stdout.flush()


answer({'ready': True})
for line in sys.stdin:
    task = json.loads(line)
    answer({'notify': notify, 'produce': produce, 'listen': listen}[task['do']](task))
