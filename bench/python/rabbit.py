"""The real oslo.messaging over RabbitMQ, as a contestant: client and server, each in a process of its own.

Arguments: transport URL, then "server" and its topic, or "client".  Each line of a client's standard input is a JSON task:

  {"do": "call", "topic": t, "callers": n, "seconds": s, "bytes": b}      calls from so many threads, answered by the server
  {"do": "notify", "topic": t, "callers": n, "seconds": s, "bytes": b}    notifications from so many threads
"""
import json
import sys
import threading
import time
import warnings

warnings.simplefilter('ignore')

from oslo_config import cfg  # noqa: E402
import oslo_messaging as om  # noqa: E402

URL, ROLE = sys.argv[1:3]
conf = cfg.CONF
conf([], project='bench', default_config_files=[], default_config_dirs=[])
TOPIC = sys.argv[3] if ROLE == 'server' else None
sys.argv[0] = 'bench'


class Echo(object):
    def echo(self, ctxt, text):
        return text


def say(value):
    print(json.dumps(value), flush=True)


def serve():
    transport = om.get_rpc_transport(conf, url=URL)
    server = om.get_rpc_server(transport, om.Target(topic=TOPIC, server='bench'), [Echo()], executor='threading')
    server.start()
    say('ready')
    sys.stdin.read()
    server.stop()
    server.wait()


def timed(operation, callers, seconds):
    """So many threads repeat operation(); counts, time and CPU time."""
    counts = [0] * callers
    end = time.perf_counter() + seconds

    def caller(index):
        while time.perf_counter() < end:
            operation()
            counts[index] += 1

    cpu, start = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=caller, args=(n,)) for n in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {'operations': sum(counts), 'elapsedMs': (time.perf_counter() - start) * 1e3,
            'cpuUs': (time.process_time() - cpu) * 1e6}


def client():
    # Every thread that sends has a connection: the pool must not be what limits it.
    transport = om.get_rpc_transport(conf, url=URL)
    conf.set_override('rpc_conn_pool_size', 100, 'oslo_messaging_rabbit')
    bus = om.get_notification_transport(conf, url=URL)
    say('ready')
    for line in sys.stdin:
        task = json.loads(line)
        text = 'x' * task['bytes']
        if task['do'] == 'call':
            caller = om.get_rpc_client(transport, om.Target(topic=task['topic']), timeout=60)
            say(timed(lambda: caller.call({}, 'echo', text=text), task['callers'], task['seconds']))
        else:
            notifier = om.Notifier(bus, 'bench', driver='messagingv2', topics=[task['topic']])
            say(timed(lambda: notifier.info({}, 'bench', {'text': text}), task['callers'], task['seconds']))


serve() if ROLE == 'server' else client()
