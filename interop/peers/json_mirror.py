#!/usr/bin/env python3
"""Random JSON values in both directions, and what each side takes them for.

As a server (topic given with --topic) it answers `mirror(values)` with the
values and a print of each; a print says type and value in words that do not
depend on JSON. As a client it reads commands from standard input:

    {"id": 1, "topic": "t", "seed": 5, "count": 100, "batches": 3}

makes that many batches of values from the seed, has the far side mirror them
and prints {"event": "result", "id": 1, "values": 300, "differences": [...]}.
A difference names what Python had, what it got back and what the far side
took it for.
"""
import math
import random
import struct

import common
import oslo_messaging as om


def print_of(value):
    """What a value is: not how it is written."""
    if value is None:
        return 'null'
    if value is True or value is False:
        return 'bool:%s' % str(value).lower()
    if isinstance(value, int):
        return 'int:%d' % value
    if isinstance(value, float):
        if math.isnan(value):
            return 'float:nan'
        return 'float:' + struct.pack('>d', value).hex()
    if isinstance(value, str):
        return 'str:' + value.encode('utf-16-be', 'surrogatepass').hex()
    if isinstance(value, list):
        return 'list:[%s]' % ','.join(print_of(item) for item in value)
    if isinstance(value, dict):
        parts = sorted('%s=%s' % (print_of(k), print_of(v))
                       for k, v in value.items())
        return 'dict:{%s}' % ','.join(parts)
    return 'other:' + type(value).__name__


class Mirror(object):

    @om.expose
    def mirror(self, ctxt, values):
        return {'values': values, 'prints': [print_of(v) for v in values]}


EDGES = [0, -1, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 1, -(2 ** 53), -(2 ** 53) - 1,
         2 ** 63, 2 ** 64 - 1, 10 ** 21, -(10 ** 30), 10 ** 300]
FLOATS = [0.0, -0.0, 0.1, -1.5, 1.0, 1e15, 1e16, 1e17, 1e21, 1e22, 1e300,
          5e-324, 1.7976931348623157e308, 123456789012345680.0,
          float('nan'), float('inf'), float('-inf')]
KEYS = ['', 'a', '1', '10', '2', '__proto__', 'constructor', 'toString',
        'oslo.version', 'oslo.message', '_context_x', '\u2028', '\ud83d']


def random_text(rnd):
    kinds = [(0, 127), (0, 31), (128, 0x7ff), (0x800, 0xffff),
             (0x10000, 0x10ffff), (0xd800, 0xdfff)]
    low, high = kinds[rnd.choice([0, 0, 0, 1, 2, 3, 4, 5])]
    text = ''.join(chr(rnd.randint(low, high))
                   for _ in range(rnd.randint(0, 12)))
    # two lone surrogates side by side are one character on the wire
    return text.encode('utf-16-be', 'surrogatepass').decode(
        'utf-16-be', 'surrogatepass')


def random_value(rnd, plain, depth=0):
    """plain: what JavaScript's own JSON can hold, for which writers may have
    a quick way."""
    kind = rnd.randint(0, 9 if depth < 4 else 7)
    if kind == 0:
        return None
    if kind == 1:
        return rnd.random() < 0.5
    if kind == 2:
        return rnd.choice(EDGES[:3] if plain else EDGES)
    if kind == 3 and plain:
        return rnd.randint(-2 ** 53 + 1, 2 ** 53 - 1)
    if kind == 3:
        return rnd.randint(-10 ** rnd.randint(1, 40), 10 ** rnd.randint(1, 40))
    if kind == 4:
        return rnd.choice(FLOATS[:-3] if plain else FLOATS)
    if kind == 5 and rnd.random() < 0.3:
        # whole, and beyond 2^53
        return float(rnd.randint(-10 ** 21, 10 ** 21))
    if kind == 5:
        bits = struct.pack('>Q', rnd.getrandbits(64))
        value = struct.unpack('>d', bits)[0]
        return value if math.isfinite(value) or not plain else 0.5
    if kind in (6, 7):
        return random_text(rnd)
    if kind == 8:
        return [random_value(rnd, plain, depth + 1)
                for _ in range(rnd.randint(0, 5))]
    return {rnd.choice(KEYS) if rnd.random() < 0.5 else random_text(rnd):
            random_value(rnd, plain, depth + 1)
            for _ in range(rnd.randint(0, 5))}


def run(client, command):
    rnd = random.Random(command['seed'])
    count = 0
    differences = []
    for batch in range(command['batches']):
        values = [random_value(rnd, batch % 2 == 0)
                  for _ in range(command['count'])]
        answer = client.call({}, 'mirror', values=values)
        count += len(values)
        for had, got, seen in zip(values, answer['values'], answer['prints']):
            if print_of(had) != print_of(got) or print_of(had) != seen:
                differences.append([print_of(had), print_of(got), seen])
        if len(answer['values']) != len(values):
            differences.append(['values: %d' % len(values),
                                'values: %d' % len(answer['values']), ''])
    common.emit('result', id=command['id'], values=count,
                differences=differences)


def main():
    p = common.parser(__doc__)
    p.add_argument('--topic', help='be a server too')
    args = p.parse_args()
    conf = common.config(args)
    transport = om.get_rpc_transport(conf, url=args.url)
    server = None
    if args.topic:
        server = om.get_rpc_server(
            transport, om.Target(topic=args.topic, server='mirror'),
            [Mirror()], access_policy=om.ExplicitRPCAccessPolicy)
        server.start()
    common.emit('ready')

    def handle(command):
        try:
            run(om.get_rpc_client(transport,
                                  om.Target(topic=command['topic']),
                                  timeout=60), command)
        except Exception as e:
            common.emit('error', id=command['id'], type=type(e).__name__,
                        message=str(e))

    common.commands(handle)
    if server:
        server.stop()
        server.wait()
    transport.cleanup()
    common.emit('stopped')
    common.leave()


if __name__ == '__main__':
    main()
