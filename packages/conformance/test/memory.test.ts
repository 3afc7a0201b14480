import { TransportURL } from '@oslo-messaging/core'
import { createDriverContext, createMemoryBroker, createMemoryDriver, memoryDriver } from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import { conformanceChapters, runCase, runDriverConformance } from '../src/index.ts'
import { optionsFor } from './support/broken-options.ts'

const { capabilities } = memoryDriver
/** Of a driver without any fault of its own. */
const goodOptions = () => optionsFor({})

describe('conformance of the in-process driver', () => {
  const brokers = new Map(['usual', 'one', 'two'].map((name) => [name, createMemoryBroker(name)]))
  const report = runDriverConformance({
    describe,
    it,
    level: 0,
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
    expect(reasons.filter((because) => !because.endsWith(': true'))).toEqual([
      'ordering: queue',
      'level 1',
      'level 2',
      'level 3',
      'level 4',
    ])
  })
})

// Apart, because a driver with faults takes the slow way through its code.
describe('the in-process driver at level 1', () => {
  for (const testCase of Object.values(conformanceChapters).flat()) {
    if (testCase.level === 1) it(testCase.name, { timeout: 60_000 }, () => runCase(testCase, goodOptions()))
  }
})
