"""What side.py hands to the library: endpoints, contexts and answers."""
import builtins
import json
import threading
import time

import common
import demo_errors
import oslo_messaging as om

PRIORITIES = ('audit', 'debug', 'info', 'warn', 'error', 'critical',
              'sample')

# 14.0.3 has the class only
rpc_client = getattr(om, 'get_rpc_client', om.RPCClient)

POLICIES = {'default': om.DefaultRPCAccessPolicy,
            'legacy': om.LegacyRPCAccessPolicy,
            'explicit': om.ExplicitRPCAccessPolicy}


class State(object):
    """What the endpoints of one server share."""

    def __init__(self, name, client_of):
        self.name = name
        self.client_of = client_of
        self.total = 0
        self.text = ''


class Endpoint(object):
    """The twin of interop/live/our-endpoint.ts."""

    def __init__(self, state, namespace=None, version=None, quiet=False):
        self.target = om.Target(namespace=namespace, version=version or '1.0')
        self._state = state
        self._label = namespace
        self._quiet = quiet

    def _saw(self, method, ctxt, args):
        if not self._quiet:
            common.emit('request', at=self._state.name, method=method,
                        ctxt=ctxt, args=args, namespace=self._label)

    @om.expose
    def ping(self, ctxt):
        self._saw('ping', ctxt, {})
        return 'pong'

    @om.expose
    def whoami(self, ctxt):
        self._saw('whoami', ctxt, {})
        return self._state.name

    @om.expose
    def echo(self, ctxt, **args):
        self._saw('echo', ctxt, args)
        return args

    @om.expose
    def give(self, ctxt, value=None):
        self._saw('give', ctxt, {})
        return value

    @om.expose
    def context(self, ctxt):
        self._saw('context', ctxt, {})
        return ctxt

    @om.expose
    def add(self, ctxt, increment):
        self._saw('add', ctxt, {'increment': increment})
        self._state.total += increment
        return self._state.total

    @om.expose
    def subtract(self, ctxt, increment):
        self._saw('subtract', ctxt, {'increment': increment})
        if self._state.total < increment:
            raise ValueError('the total cannot go below zero')
        self._state.total -= increment
        return self._state.total

    @om.expose
    def append(self, ctxt, text):
        self._saw('append', ctxt, {'text': text})
        self._state.text += text
        return self._state.text

    @om.expose
    def state(self, ctxt):
        return {'total': self._state.total, 'text': self._state.text}

    @om.expose
    def sleep(self, ctxt, seconds, value=None):
        self._saw('sleep', ctxt, {'seconds': seconds, 'value': value})
        time.sleep(seconds)
        return value

    @om.expose
    def relay(self, ctxt, to, what, given):
        self._saw('relay', ctxt, {'to': to})
        return self._state.client_of(to).call(ctxt, what, **given)

    @om.expose
    def fail(self, ctxt, kind='ValueError', message='it failed', code=None):
        self._saw('fail', ctxt, {'kind': kind})
        if kind == 'DemoError':
            raise demo_errors.DemoError(message, code=code)
        if kind == 'PickyError':
            raise demo_errors.PickyError(name=message, code=code)
        raise getattr(builtins, kind)(message)

    @om.expose
    @om.expected_exceptions(ValueError)
    def fail_expected(self, ctxt, message='as expected'):
        self._saw('fail_expected', ctxt, {'message': message})
        raise ValueError(message)

    def not_exposed(self, ctxt):
        """Refused by the policy `explicit` only."""
        return 'not exposed'

    def _private(self, ctxt):
        """Served by the policy `legacy` only."""
        return 'private'


class Recorder(object):
    """A notification endpoint that prints what it gets."""

    def __init__(self, c):
        self._name = c['name']
        self._left = c.get('requeue_first', 0)
        self._lock = threading.Lock()
        if c.get('filter'):
            self.filter_rule = om.NotificationFilter(**c['filter'])
        for priority in c.get('priorities', PRIORITIES):
            make = self._batch if c.get('batch_size') else self._single
            setattr(self, priority, make(priority))

    def _result(self):
        with self._lock:
            if self._left > 0:
                self._left -= 1
                return om.NotificationResult.REQUEUE
        return om.NotificationResult.HANDLED

    def _single(self, priority):
        def method(ctxt, publisher_id, event_type, payload, metadata):
            common.emit('notification', at=self._name, priority=priority,
                        ctxt=ctxt, publisher_id=publisher_id,
                        event_type=event_type, payload=payload,
                        metadata=metadata)
            return self._result()
        return method

    def _batch(self, priority):
        def method(messages):
            common.emit('batch', at=self._name, priority=priority,
                        messages=messages)
            return self._result()
        return method


class Context(object):
    """A context object; `auth_token` is what redaction removes."""

    def __init__(self, values):
        self._values = values

    def to_dict(self):
        return dict(self._values)

    @classmethod
    def from_dict(cls, values):
        return cls(values)

    def redacted_copy(self):
        return Context({k: v for k, v in self._values.items()
                        if k != 'auth_token'})


def describe(ex):
    """Everything of an exception that JSON can hold."""
    trace = getattr(ex, 'traceback', None)
    return {'type': type(ex).__name__, 'module': type(ex).__module__,
            'text': str(ex),
            'exc_type': getattr(ex, 'exc_type', None),
            'value': getattr(ex, 'value', None),
            'traceback': trace if isinstance(trace, str) else
            ''.join(trace or []),
            'args': [json.loads(json.dumps(common.plain(a)))
                     for a in ex.args],
            'kwargs': common.plain(getattr(ex, 'kwargs', None)),
            'bases': [c.__name__ for c in type(ex).__mro__[1:-1]]}
