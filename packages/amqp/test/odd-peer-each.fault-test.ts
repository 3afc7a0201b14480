import { createDeferred } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { MISCHIEFS } from './support/odd-peer/mischief.ts'
import { runOddPeer, type RunReport } from './support/odd-peer/run.ts'

// One thing that a peer may do, for eleven seconds and with everything else in order: operations end by their deadlines
// and typed, health says so within ten seconds, other addresses go on where the peer leaves them alone, nothing comes
// to a wrong address, the heap does not grow, everything is well again afterwards, and nothing is printed.

const LASTS_MS = 11_000
/** Each has a server, a client and a peer of its own, which wait most of the time. */
const AT_ONCE = 8
/** Peer and clients share a process: on a busy machine two seconds are not silence. */
const IDLE_TIMEOUT_S = 5

const reports = new Map(MISCHIEFS.map(({ name }) => [name, createDeferred<RunReport>()] as const))
const unhandled: unknown[] = []
const onUnhandled = (error: unknown): void => void unhandled.push(error)

beforeAll(() => {
  process.on('unhandledRejection', onUnhandled)
  process.on('uncaughtException', onUnhandled)
  vi.spyOn(console, 'error')
  vi.spyOn(console, 'warn')
  const names = reports.entries()
  const work = async (): Promise<void> => {
    for (const [name, report] of names)
      await runOddPeer({
        seed: 7,
        forMs: 1,
        longestMs: LASTS_MS,
        isAlwaysLongest: true,
        idleTimeoutS: IDLE_TIMEOUT_S,
        only: [name],
      }).then(report.resolve, report.reject)
  }
  for (const { promise } of reports.values()) promise.catch(() => undefined)
  for (let n = 0; n < AT_ONCE; n += 1) void work()
})

afterAll(() => {
  process.off('unhandledRejection', onUnhandled)
  process.off('uncaughtException', onUnhandled)
  const printed = [console.error, console.warn].flatMap((print) => vi.mocked(print).mock.calls)
  vi.restoreAllMocks()
  expect(unhandled).toEqual([])
  expect(printed).toEqual([])
})

it.each([...reports])('%s', { timeout: 600_000 }, async (_name, report) => {
  const { violations, rounds, operations } = await report.promise
  expect(violations).toEqual([])
  expect(rounds).toBe(1)
  expect(operations).toBeGreaterThan(10)
})
