"""A small message router on qpid-proton, for tests (loopback only).

It keeps nothing. Senders have credit only while somebody receives from their
address; the receiver's outcome is handed to the sender; what nobody takes is
released. Addresses with a `multicast` segment reach everybody. One JSON line on
standard output says that it listens; it ends with its standard input.
"""
import json
import os
import socket
import sys
import threading
import uuid

from proton import Delivery, symbol
from proton.handlers import MessagingHandler
from proton.reactor import Container

CREDIT = 250


class Router(MessagingHandler):
    def __init__(self, port):
        super().__init__(prefetch=0, auto_accept=False, auto_settle=False,
                         peer_close_is_error=False)
        self.port = port
        self.receivers = {}
        self.senders = {}
        # What came in, by the tag of what it went out as.
        self.came = {}
        self.tags = 0

    def on_start(self, event):
        event.container.listen('127.0.0.1:%d' % self.port)
        sys.stdout.write(json.dumps({'event': 'ready', 'port': self.port}) + '\n')
        sys.stdout.flush()

    def on_connection_opening(self, event):
        event.connection.container = 'proton-router'
        event.connection.properties = {symbol('product'): 'qpid-dispatch-router',
                                       symbol('version'): 'proton'}

    def on_connection_closed(self, event):
        self.forget(lambda link: link.connection == event.connection)

    on_disconnected = on_connection_closed

    def on_link_opening(self, event):
        link = event.link
        if link.is_sender:
            address = link.remote_source.address
            if link.remote_source.dynamic:
                address = 'amqp:/_topo/0/R/temp.' + uuid.uuid4().hex
                link.source.dynamic = True
            link.source.address = address
            link.target.address = link.remote_target.address
            self.receivers.setdefault(address, []).append(link)
            for sender in self.senders.get(address, []):
                self.grant(sender)
        else:
            address = link.remote_target.address
            link.target.address = address
            link.source.address = link.remote_source.address
            self.senders.setdefault(address, []).append(link)
            if self.receivers.get(address):
                self.grant(link)

    def on_link_closed(self, event):
        self.forget(lambda link: link == event.link)

    def forget(self, matches):
        for links in list(self.receivers.values()) + list(self.senders.values()):
            links[:] = [link for link in links if not matches(link)]

    @staticmethod
    def grant(link):
        if link.credit < CREDIT:
            link.flow(CREDIT - link.credit)

    def on_sendable(self, event):
        # A receiver that was busy takes more: whoever was left without credit meanwhile may go on.
        for sender in self.senders.get(event.link.source.address, []):
            self.grant(sender)

    def on_message(self, event):
        address = event.link.target.address
        ready = [link for link in self.receivers.get(address, []) if link.credit > 0]
        if ready:
            self.grant(event.link)
        if '/multicast/' in address:
            for link in ready:
                link.send(event.message).settle()
            self.end(event.delivery, Delivery.ACCEPTED if ready else Delivery.RELEASED)
        elif not ready:
            self.end(event.delivery, Delivery.RELEASED)
        else:
            link = ready[0]
            links = self.receivers[address]
            links.append(links.pop(links.index(link)))
            self.tags += 1
            out = link.send(event.message, tag='out-%d' % self.tags)
            if event.delivery.settled:
                out.settle()
                event.delivery.settle()
            else:
                self.came[out.tag] = event.delivery

    def on_accepted(self, event):
        self.hand_back(event.delivery, Delivery.ACCEPTED)

    def on_rejected(self, event):
        self.hand_back(event.delivery, Delivery.REJECTED)

    def on_released(self, event):
        self.hand_back(event.delivery, event.delivery.remote_state)

    def on_settled(self, event):
        self.hand_back(event.delivery, Delivery.ACCEPTED)

    def hand_back(self, out, state):
        came = self.came.pop(out.tag, None) if out.link.is_sender else None
        if came is not None:
            self.end(came, state)
            out.settle()

    @staticmethod
    def end(delivery, state):
        if not delivery.settled:
            delivery.update(state)
        delivery.settle()


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def until_eof():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=until_eof, daemon=True).start()
Container(Router(free_port())).run()
