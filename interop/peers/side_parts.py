"""What side.py hands to the library besides what the other programs have."""
import json

import common
import oslo_messaging as om
import rpc_server

# 14.0.3 has the class only
rpc_client = getattr(om, 'get_rpc_client', om.RPCClient)


class State(rpc_server.State):
    def __init__(self, name, client_of, quiet=False):
        super(State, self).__init__(quiet, at=name)
        self.name = name
        self.client_of = client_of


class Endpoint(rpc_server.Endpoint):
    """The twin of interop/live/our-endpoint.ts."""

    @om.expose
    def whoami(self, ctxt):
        self._saw('whoami', ctxt, {})
        return self._state.name

    @om.expose
    def relay(self, ctxt, to, what, given):
        self._saw('relay', ctxt, {'to': to})
        return self._state.client_of(to).call(ctxt, what, **given)


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
