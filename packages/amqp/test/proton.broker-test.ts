import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary, skipOrFail } from '@oslo-messaging/brokers'
import { describe } from 'vitest'
import { runPeerSuite } from './support/peer-suite.ts'
import { startProton } from './support/proton.ts'

// The second implementation of AMQP 1.0 that shares no code with the one this driver stands on.

const python = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))

describe.skipIf(python === undefined).each(['router', 'broker'] as const)('qpid-proton as a %s', (kind) => {
  runPeerSuite(() => startProton(kind))
})
