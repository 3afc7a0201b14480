"""The Python side of a benchmark: amqp.py server|client URL TOPIC.

The server answers `echo` until standard input ends. The client reads turns,
one JSON object per line ({"concurrency": 64, "durationMs": 700, "text": "x"}),
and answers each with one line: operations, elapsedMs, cpuUs, latenciesMs.
"""
import json
import sys
import threading
import time
import warnings

warnings.simplefilter('ignore')

from oslo_config import cfg  # noqa: E402
import oslo_messaging as om  # noqa: E402


class Echo(object):
    @om.expose
    def echo(self, ctxt, text):
        return text


def say(value):
    sys.stdout.write(json.dumps(value) + '\n')
    sys.stdout.flush()


def serve(transport, topic):
    server = om.get_rpc_server(transport, om.Target(topic=topic, server='bench'),
                               [Echo()], executor='threading')
    server.start()
    time.sleep(1)   # subscriptions are made in the background
    say('ready')
    sys.stdin.read()
    server.stop()
    server.wait()


def take_turn(client, concurrency, duration, text):
    latencies = []
    ends = time.monotonic() + duration

    def caller():
        mine = []
        begun = time.monotonic()
        while begun < ends:
            client.call({}, 'echo', text=text)
            now = time.monotonic()
            mine.append((now - begun) * 1000)
            begun = now
        latencies.extend(mine)

    threads = [threading.Thread(target=caller) for _ in range(concurrency)]
    cpu, started = time.process_time(), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {'operations': len(latencies),
            'elapsedMs': (time.monotonic() - started) * 1000,
            'cpuUs': (time.process_time() - cpu) * 1e6,
            'latenciesMs': latencies}


def ask(transport, topic):
    client = om.get_rpc_client(transport, om.Target(topic=topic), timeout=60)
    client.call({}, 'echo', text='')
    say('ready')
    for line in sys.stdin:
        turn = json.loads(line)
        say(take_turn(client, turn['concurrency'], turn['durationMs'] / 1000,
                      turn['text']))


def main():
    role, url, topic = sys.argv[1:]
    sys.argv[0] = 'bench'
    conf = cfg.CONF
    conf([], project='bench', prog='bench', default_config_files=[],
         default_config_dirs=[])
    transport = om.get_rpc_transport(conf, url=url)
    {'server': serve, 'client': ask}[role](transport, topic)
    transport.cleanup()


if __name__ == '__main__':
    main()
