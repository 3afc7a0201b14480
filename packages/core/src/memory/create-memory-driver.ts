import type { DriverDefinition } from '../driver/driver.ts'
import { checkOptions } from '../util/check.ts'
import { MemoryBroker } from './memory-broker.ts'
import { defineMemoryDriver, type MemoryDriverParts, type MemoryOptions } from './memory-driver.ts'

/** An in-process driver for a test: by default with a broker of its own, that no other test can reach, and with a
 *  recorder or a script of faults.
 *  Transports made from one definition meet, whatever hosts their URLs name. */
export function createMemoryDriver(parts: MemoryDriverParts = {}): DriverDefinition<MemoryOptions> {
  checkOptions('createMemoryDriver', parts, { broker: true, recorder: true, faults: true })
  return defineMemoryDriver({ ...parts, broker: parts.broker ?? createMemoryBroker() })
}

/** A broker that only those who hold it can reach. */
export function createMemoryBroker(name = 'test'): MemoryBroker {
  return new MemoryBroker(name)
}
