import { TransportURL } from '@oslo-messaging/core'
import {
  createDriverContext,
  createFaults,
  createMemoryBroker,
  createMemoryDriver,
  memoryDriver,
} from '@oslo-messaging/core/testing'
import { describe, it } from 'vitest'
import type { ConformanceKnobs, ConformanceOptions } from '../../src/index.ts'
import type { Broken } from './broken-drivers.ts'
import { memoryLevers } from './memory-levers.ts'
import { memoryPeer } from './memory-peer.ts'

const url = TransportURL.parse('memory://')

/** Enough to tell a broken driver from a good one, and no more. */
const load: Required<ConformanceKnobs>['load'] = {
  servers: 40,
  topics: 100,
  bytes: 1_048_576,
  unbounded: 20_000,
  historyMs: 5_000,
}

/** A suite's options over an in-process driver with one fault. */
export function optionsFor(broken: Broken): ConformanceOptions {
  const faults = createFaults()
  const broker = createMemoryBroker()
  const elsewhere = createMemoryBroker()
  const sabotage = broken.driver?.() ?? ((driver) => driver)
  const levers = memoryLevers(faults)
  return {
    describe,
    it,
    level: 4,
    capabilities: { ...memoryDriver.capabilities, ...broken.capabilities },
    createDriver: async ({ vhost }) => {
      const isElsewhere = vhost === 'two' && broken.ignoresVhost !== true
      const definition = createMemoryDriver({ broker: isElsewhere ? elsewhere : broker, faults })
      return sabotage(await definition.open(url, createDriverContext(definition)))
    },
    knobs: {
      timeScale: 0.2,
      vhosts: ['one', 'two'],
      levers,
      disconnect: levers.cut,
      load,
      peer: async () => memoryPeer(broker),
      makeUnreadable: async ({ kind, exchange, topic, priority, text }) =>
        broker.publishText({
          kind,
          exchange: exchange ?? 'openstack',
          routingKey: priority === null ? topic : `${topic}.${priority}`,
          text,
        }),
      ...broken.knobs?.(faults),
    },
  }
}
