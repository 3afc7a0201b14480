import { describe, expect, it } from 'vitest'
import { Supervisor, type SupervisorChange } from '../../src/driver/supervisor.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { createBackoff } from '../../src/util/backoff.ts'
import { Deadline } from '../../src/util/deadline.ts'

const FACTS = { phase: 'connect', delivery: 'not-sent' } as const
const REFUSED = new Error('credentials refused')

function scene() {
  const clock = createManualClock()
  const changes: SupervisorChange[] = []
  const given = { isRefused: false, attempts: 0 }
  const supervisor = new Supervisor({
    async establish() {
      given.attempts += 1
      if (given.isRefused) throw REFUSED
    },
    classify: () => 'fatal',
    backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 1000, jitter: 'none' }),
    upState: 'consuming',
    retryFatalMs: 30_000,
    onChange: (change) => changes.push(change),
    clock,
  })
  const ready = async (): Promise<void> => await supervisor.ready(Deadline.after(null, { clock }), FACTS)
  return { clock, changes, given, supervisor, ready }
}

describe('supervisor - a fatal failure that somebody may mend', () => {
  it('of what was up once: says failed with the reason, goes on trying slowly, and comes back', async () => {
    const { clock, changes, given, supervisor, ready } = scene()
    await ready()
    await clock.advance(5000)
    given.isRefused = true
    supervisor.lost(new Error('gone'))
    await clock.advance(0)
    expect([supervisor.state, supervisor.reason, given.attempts]).toEqual(['failed', 'credentials refused', 2])
    expect(changes.at(-1)).toMatchObject({ state: 'failed', error: REFUSED, retryInMs: 30_000 })
    await clock.advance(29_999)
    expect(given.attempts).toBe(2)
    await clock.advance(1)
    expect([supervisor.state, given.attempts]).toEqual(['failed', 3])
    given.isRefused = false
    await clock.advance(30_000)
    expect([supervisor.state, given.attempts]).toEqual(['consuming', 4])
  })

  it('whoever waits for it hears the reason at once, and causes an attempt when the last one is a second old', async () => {
    const { clock, given, supervisor, ready } = scene()
    await ready()
    given.isRefused = true
    supervisor.lost(new Error('gone'))
    await clock.advance(0)
    await expect(ready()).rejects.toBe(REFUSED)
    expect(given.attempts).toBe(2)
    given.isRefused = false
    await clock.advance(1000)
    await ready()
    expect([supervisor.state, given.attempts]).toEqual(['consuming', 3])
  })

  it('of what never was up: is tried again when somebody waits for it, and not by itself', async () => {
    const { clock, given, supervisor, ready } = scene()
    given.isRefused = true
    await expect(ready()).rejects.toBe(REFUSED)
    await clock.advance(3_600_000)
    expect([supervisor.state, given.attempts]).toEqual(['failed', 1])
    given.isRefused = false
    await ready()
    expect([supervisor.state, given.attempts]).toEqual(['consuming', 2])
  })

  it('close ends it while it waits', async () => {
    const { clock, given, supervisor, ready } = scene()
    await ready()
    given.isRefused = true
    supervisor.lost(new Error('gone'))
    await clock.advance(0)
    supervisor.close()
    await clock.advance(60_000)
    expect([supervisor.state, given.attempts]).toEqual(['closed', 2])
    await expect(ready()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
  })
})
