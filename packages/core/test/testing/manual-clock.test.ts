import { describe, expect, it } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { Deadline } from '../../src/util/deadline.ts'

describe('manual clock', () => {
  it('clock - stands still until it is moved, and then moves both times', async () => {
    const clock = createManualClock({ wallTime: 1000 })
    expect([clock.now(), clock.wallTime()]).toEqual([0, 1000])
    await clock.advance(250)
    expect([clock.now(), clock.wallTime()]).toEqual([250, 1250])
  })

  it('clock - runs timers in the order of their times, each at its own, older ones first', async () => {
    const clock = createManualClock()
    const ran: string[] = []
    const timer = (name: string, ms: number) => clock.setTimeout(() => ran.push(`${name} at ${clock.now()}`), ms)
    timer('b', 20)
    timer('a', 10)
    timer('b2', 20)
    const cleared = timer('never', 15)
    timer('later', 31)
    clock.clearTimeout(cleared)
    await clock.advance(30)
    expect(ran).toEqual(['a at 10', 'b at 20', 'b2 at 20'])
    expect(clock.pending).toBe(1)
  })

  it('clock - timers set by timers and by promises that settle meanwhile run in the same move', async () => {
    const clock = createManualClock()
    const ran: number[] = []
    const again = (): void => {
      ran.push(clock.now())
      void Promise.resolve().then(() => clock.setTimeout(again, 10))
    }
    clock.setTimeout(again, 10)
    await clock.advance(35)
    expect(ran).toEqual([10, 20, 30])
  })

  it('clock - moves asked for at once take turns', async () => {
    const clock = createManualClock()
    await Promise.all([clock.advance(5), clock.advance(7)])
    expect(clock.now()).toBe(12)
  })

  it('clock - drives a deadline', async () => {
    const clock = createManualClock()
    const deadline = Deadline.after(100, { clock })
    const outcome = deadline.sleep(200, { phase: 'reply', delivery: 'unknown' }).catch((error: unknown) => error)
    await clock.advance(100)
    expect(await outcome).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', timeoutMs: 100 })
    expect(clock.pending).toBe(0)
  })
})
