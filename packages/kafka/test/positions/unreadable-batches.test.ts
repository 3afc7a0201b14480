import { systemClock } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { ClientFault } from '../../src/port/client-port.ts'
import { PartitionFlow } from '../../src/positions/partition-flow.ts'
import { UnreadableBatches } from '../../src/positions/unreadable-batches.ts'
import { recordingLogger } from '../support/open-driver.ts'

const damaged = new ClientFault('BatchUnreadable', 'cannot be decompressed', { batch: { first: 10, last: 19 } })
const healthy = { kind: 'listener', name: 'l', state: 'consuming', sinceMs: 1 } as const

function flowAt(partition: number, next: number): PartitionFlow {
  const flow = new PartitionFlow({ topic: 't', partition })
  flow.moveTo(next, true)
  return flow
}

function before(...flows: PartitionFlow[]) {
  const logger = recordingLogger()
  return {
    logger,
    batches: new UnreadableBatches({ group: 'g', logger, clock: systemClock, partitions: () => flows }),
  }
}

it('pauses longer and longer from the third try on, and reports once', () => {
  const { batches, logger } = before(flowAt(0, 10))
  const pauses = Array.from({ length: 10 }, () => {
    batches.met(damaged)
    return batches.pauseMs
  })
  expect(pauses).toEqual([0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  expect(logger.lines.map(({ level, fields }) => ({ level, ...fields }))).toMatchObject([
    { level: 'error', group: 'g', partition: 't/0', offset: 10, moveTo: 20 },
  ])
})

it('names every partition it may be in, and is over for those that are past it', () => {
  const flows = [flowAt(0, 10), flowAt(1, 20), flowAt(2, 3)]
  const { batches } = before(...flows)
  batches.met(damaged)
  expect(batches.tell(healthy)).toMatchObject({
    state: 'recovering',
    reason: 't/0 or t/2: cannot be decompressed',
  })
  for (const flow of flows) flow.moveTo(20, true)
  expect(batches.tell(healthy)).toEqual(healthy)
  batches.met(damaged)
  expect(batches.pauseMs).toBe(0)
})

it('other faults, and listeners that have ended, are left as they are', () => {
  const { batches } = before(flowAt(0, 10))
  batches.met(new ClientFault('ECONNRESET', 'reset'))
  expect(batches.tell(healthy)).toEqual(healthy)
  batches.met(damaged)
  const failed = { ...healthy, state: 'failed' } as const
  expect(batches.tell(failed)).toEqual(failed)
})
