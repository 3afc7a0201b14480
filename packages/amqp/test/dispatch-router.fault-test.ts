import { describe } from 'vitest'
import { runPeerSuite } from './support/peer-suite.ts'
import { startDispatchRouter } from './support/dispatch-router.ts'

// A real message router. No registry has one as a package, so it is built by hand, and its program named:
// QDROUTERD=/path/to/qdrouterd. With proton's headers (libqpid-proton11-dev), Python's (python3-dev) and the sources of
// qpid-dispatch 1.19.0: cmake -DUSE_LIBWEBSOCKETS=OFF -DBUILD_TESTING=OFF -DCONSOLE_INSTALL=OFF, make qdrouterd.

const program = process.env['QDROUTERD'] ?? ''

describe.skipIf(program === '')('Qpid Dispatch', () => {
  runPeerSuite(() => startDispatchRouter(program))
})
