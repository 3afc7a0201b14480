import { TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext, memoryDriver } from '@oslo-messaging/core/testing'
import { afterAll, describe, it } from 'vitest'
import { runDriverConformance } from '../src/index.ts'

describe('conformance of the in-process driver', () => {
  runDriverConformance({
    describe,
    it,
    afterAll,
    capabilities: memoryDriver.capabilities,
    createDriver: ({ vhost = 'conformance' }) =>
      memoryDriver.open(TransportURL.parse(`memory://conformance/${vhost}`), createDriverContext(memoryDriver)),
    knobs: { vhosts: ['one', 'two'] },
  })
})
