"""The service as it was: oslo.messaging for Python. SIGTERM takes nothing new and finishes what was taken."""

import signal
import sys
import threading

import oslo_messaging
from oslo_config import cfg


class StockEndpoint:
    target = oslo_messaging.Target(version='1.1')

    def reserve(self, ctxt, item, count):
        return {'item': item, 'count': count, 'by': 'python'}


def main():
    # The global one, because the lock of the queue manager reads no other.
    conf = cfg.CONF
    conf(sys.argv[1:], project='stock')
    transport = oslo_messaging.get_rpc_transport(conf)
    target = oslo_messaging.Target(topic='stock', server='stock-python')
    server = oslo_messaging.get_rpc_server(transport, target, [StockEndpoint()], executor='threading')
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    server.start()
    print('ready', flush=True)
    stopping.wait()
    server.stop()
    server.wait()
    transport.cleanup()


main()
