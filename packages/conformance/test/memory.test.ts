import { TransportURL } from '@oslo-messaging/core'
import {
  createDriverContext,
  createFaults,
  createMemoryBroker,
  createMemoryDriver,
  memoryDriver,
} from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import { conformanceChapters, runCase, runDriverConformance } from '../src/index.ts'

const { capabilities } = memoryDriver

describe('conformance of the in-process driver', () => {
  const brokers = new Map(['usual', 'one', 'two'].map((name) => [name, createMemoryBroker(name)]))
  const report = runDriverConformance({
    describe,
    it,
    capabilities,
    createDriver: ({ vhost = 'usual' }) => {
      const definition = createMemoryDriver({ broker: brokers.get(vhost) })
      return definition.open(TransportURL.parse('memory://'), createDriverContext(definition))
    },
    knobs: {
      vhosts: ['one', 'two'],
      makeUnreadable: async ({ kind, exchange, topic, priority, text }) =>
        brokers.get('usual')?.publishText({
          kind,
          exchange: exchange ?? 'openstack',
          routingKey: priority === null ? topic : `${topic}.${priority}`,
          text,
        }),
      secret: {
        definition: memoryDriver,
        url: (password) => `memory://user:${encodeURIComponent(password)}@somewhere/`,
      },
    },
  })

  it('leaves out what needs a lever, what is refused only by others, and nothing else', () => {
    const reasons = [...new Set(report.leftOut.map(({ because }) => because))]
    expect(reasons.filter((because) => !because.endsWith(': true'))).toEqual(['ordering: queue', 'no knob disconnect'])
  })
})

// Apart, because a driver with faults takes the slow way through its code.
describe('recovery of the in-process driver', () => {
  for (const testCase of conformanceChapters['recovery'] ?? []) {
    it(testCase.name, async () => {
      const faults = createFaults()
      const definition = createMemoryDriver({ faults })
      await runCase(testCase, {
        describe,
        it,
        capabilities,
        createDriver: () => definition.open(TransportURL.parse('memory://'), createDriverContext(definition)),
        knobs: {
          disconnect: async () => {
            faults.disconnect()
            setImmediate(() => faults.reconnect())
          },
        },
      })
    })
  }
})
