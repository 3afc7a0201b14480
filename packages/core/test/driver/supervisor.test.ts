import { describe, expect, it } from 'vitest'
import { Supervisor, type SupervisorChange } from '../../src/driver/supervisor.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { createBackoff } from '../../src/util/backoff.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { createDeferred, type Deferred } from '../../src/util/deferred.ts'

const FACTS = { phase: 'connect', delivery: 'not-sent' } as const
const FATAL = new Error('credentials refused')

function scene(options: { readonly onChange?: (change: SupervisorChange, supervisor: Supervisor) => void } = {}) {
  const clock = createManualClock()
  const attempts: Deferred<void>[] = []
  const signals: AbortSignal[] = []
  const changes: SupervisorChange[] = []
  const supervisor: Supervisor = new Supervisor({
    establish: (signal) => {
      const attempt = createDeferred<void>()
      attempts.push(attempt)
      signals.push(signal)
      return attempt.promise
    },
    classify: (error) => (error === FATAL ? 'fatal' : 'retry'),
    backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: 1000, jitter: 'none' }),
    upState: 'consuming',
    onChange: (change) => {
      changes.push(change)
      options.onChange?.(change, supervisor)
    },
    clock,
  })
  const ready = (timeoutMs: number | null = null, signal?: AbortSignal) =>
    supervisor.ready(Deadline.after(timeoutMs, { clock, signal }), FACTS)
  const comesUp = async (): Promise<void> => {
    attempts.at(-1)?.resolve()
    await clock.advance(0)
  }
  const fails = async (error: unknown = new Error('refused')): Promise<void> => {
    attempts.at(-1)?.reject(error)
    await clock.advance(0)
  }
  return { clock, supervisor, attempts, signals, changes, ready, comesUp, fails }
}

const states = (changes: readonly SupervisorChange[]): string[] => changes.map((change) => change.state)

describe('supervisor', () => {
  it('start - establishes once, and ready waits for it', async () => {
    const { supervisor, attempts, changes, ready, comesUp } = scene()
    expect(supervisor.state).toBe('starting')
    supervisor.start()
    supervisor.start()
    const waiting = [ready(), ready()]
    await comesUp()
    await Promise.all(waiting)
    await ready(0)
    expect([attempts.length, supervisor.isUp, supervisor.state, states(changes)]).toEqual([
      1,
      true,
      'consuming',
      ['consuming'],
    ])
  })

  it('recovery - waits by its backoff between attempts and says so', async () => {
    const { clock, supervisor, attempts, changes, fails, comesUp } = scene()
    supervisor.start()
    await fails(new Error('first'))
    expect(supervisor.reason).toBe('first')
    await clock.advance(99)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    await fails(new Error('second'))
    await clock.advance(200)
    await comesUp()
    expect(attempts).toHaveLength(3)
    expect(changes).toMatchObject([
      { state: 'recovering', previous: 'starting', attempt: 1, retryInMs: 100, error: { message: 'first' } },
      { state: 'recovering', previous: 'recovering', attempt: 2, retryInMs: 200, error: { message: 'second' } },
      { state: 'consuming', previous: 'recovering', attempt: 0 },
    ])
    expect(supervisor.error).toBeUndefined()
  })

  it('lost - recovers at once what was up for a while, and the backoff starts afresh', async () => {
    const { clock, supervisor, attempts, changes, fails, comesUp } = scene()
    supervisor.start()
    await fails()
    await clock.advance(100)
    await comesUp()
    await clock.advance(1000)
    supervisor.lost(new Error('reset'))
    supervisor.lost(new Error('told twice'))
    await clock.advance(0)
    expect(attempts).toHaveLength(3)
    expect(supervisor.reason).toBe('reset')
    expect(changes.at(-1)).not.toHaveProperty('retryInMs')
    // The second loss came while the attempt was under way, so this attempt does not count as up.
    await comesUp()
    expect(supervisor.state).toBe('recovering')
    expect(changes.at(-1)?.retryInMs).toBe(100)
  })

  it('lost - again and again right after it came up, the backoff counts', async () => {
    const { clock, supervisor, attempts, changes, comesUp } = scene()
    supervisor.start()
    const waits: (number | undefined)[] = []
    for (let life = 0; life < 4; life += 1) {
      await comesUp()
      await clock.advance(10)
      supervisor.lost(new Error('kicked out'))
      const { retryInMs } = changes.at(-1) ?? {}
      waits.push(retryInMs)
      await clock.advance(retryInMs ?? 0)
    }
    expect([waits, attempts.length]).toEqual([[undefined, 100, 200, 400], 5])
    await comesUp()
    await clock.advance(1000)
    supervisor.lost(new Error('much later'))
    expect(changes.at(-1)).not.toHaveProperty('retryInMs')
  })

  it('lost - during an attempt makes that attempt a failed one', async () => {
    const { clock, supervisor, attempts, comesUp } = scene()
    supervisor.start()
    supervisor.lost(new Error('gone while connecting'))
    await comesUp()
    expect([supervisor.state, supervisor.reason]).toEqual(['recovering', 'gone while connecting'])
    await clock.advance(100)
    await comesUp()
    expect([supervisor.state, attempts.length]).toEqual(['consuming', 2])
  })

  it('fatal - ends it: who waits and who comes later gets the error', async () => {
    const { clock, supervisor, attempts, ready, fails } = scene()
    const waiting = expect(ready()).rejects.toBe(FATAL)
    await fails(FATAL)
    await waiting
    await expect(ready()).rejects.toBe(FATAL)
    supervisor.lost(new Error('x'))
    supervisor.start()
    supervisor.retryNow()
    await clock.advance(1e6)
    supervisor.close()
    expect([supervisor.state, supervisor.error, attempts.length, clock.pending]).toEqual(['failed', FATAL, 1, 0])
  })

  it('ready - rejects at the deadline with the last failure as cause; the work goes on', async () => {
    const { clock, supervisor, ready, fails, comesUp } = scene()
    const failure = new Error('refused')
    const waiting = expect(ready(150)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      ...FACTS,
      cause: failure,
    })
    await fails(failure)
    await clock.advance(150)
    await waiting
    await comesUp()
    expect(supervisor.isUp).toBe(true)
  })

  it('ready - rejects when no time is left, however soon it is up', async () => {
    const { supervisor, ready, comesUp } = scene()
    const late = ready(0).catch((error: unknown) => error)
    await comesUp()
    expect(await late).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase: 'connect', timeoutMs: 0 })
    expect(supervisor.isUp).toBe(true)
    await ready(0)
  })

  it('ready - leaves the reason of the signal as it is', async () => {
    const { ready, fails } = scene()
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = expect(ready(null, abort.signal)).rejects.toBe(reason)
    await fails()
    abort.abort(reason)
    await waiting
    expect(reason.cause).toBeUndefined()
  })

  it('retryNow - skips the wait, and does nothing otherwise', async () => {
    const { clock, supervisor, attempts, fails, comesUp } = scene()
    supervisor.retryNow()
    supervisor.start()
    await fails()
    supervisor.retryNow()
    await clock.advance(0)
    expect([attempts.length, clock.pending]).toEqual([2, 0])
    await comesUp()
    supervisor.retryNow()
    await clock.advance(1000)
    expect(attempts).toHaveLength(2)
  })

  it('setBlocked - is up, but says so; each change once', async () => {
    const { supervisor, changes, ready, comesUp } = scene()
    supervisor.setBlocked('too early')
    supervisor.start()
    await comesUp()
    supervisor.setBlocked(null)
    supervisor.setBlocked('memory alarm')
    expect([supervisor.state, supervisor.isUp, supervisor.reason]).toEqual(['blocked', true, 'memory alarm'])
    await ready(0)
    supervisor.setBlocked(null)
    expect([supervisor.state, supervisor.reason]).toEqual(['consuming', undefined])
    expect(states(changes)).toEqual(['consuming', 'blocked', 'consuming'])
  })

  it('close - ends an attempt, its waiters and the wait before the next', async () => {
    const first = scene()
    const waiting = expect(first.ready()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })
    await first.clock.advance(0)
    first.supervisor.close()
    first.supervisor.close()
    await waiting
    expect(first.signals[0]?.aborted).toBe(true)
    await first.comesUp()
    expect([first.supervisor.state, states(first.changes)]).toEqual(['closed', ['closed']])
    await expect(first.ready()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED' })

    const second = scene()
    second.supervisor.start()
    await second.fails()
    second.supervisor.close()
    await second.clock.advance(1e6)
    expect([second.clock.pending, second.attempts.length]).toEqual([0, 1])
  })

  it('close - from onChange leaves no timer behind', async () => {
    const { clock, supervisor, attempts, fails } = scene({
      onChange: (change, supervisor) => {
        if (change.state === 'recovering') supervisor.close()
      },
    })
    supervisor.start()
    await fails()
    expect([supervisor.state, clock.pending, attempts.length]).toEqual(['closed', 0, 1])
  })

  it('health - is its state under the given name', async () => {
    const { clock, supervisor, fails } = scene()
    const startedAt = clock.wallTime()
    expect(supervisor.health('listener', 'listener a')).toEqual({
      kind: 'listener',
      name: 'listener a',
      state: 'starting',
      sinceMs: startedAt,
    })
    supervisor.start()
    await clock.advance(5)
    await fails()
    expect(supervisor.health('listener', 'listener a', 'h:1')).toMatchObject({
      state: 'recovering',
      sinceMs: startedAt + 5,
      reason: 'refused',
      host: 'h:1',
    })
  })
})
