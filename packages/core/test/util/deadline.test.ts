import { describe, expect, it } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { Deadline, type WaitFacts } from '../../src/util/deadline.ts'

const FACTS: WaitFacts = { phase: 'publish', delivery: 'not-sent' }

/** A promise's state, for what must not have settled yet. */
function observe(promise: Promise<unknown>): { readonly outcome: () => string } {
  let outcome = 'pending'
  promise.then(
    () => (outcome = 'resolved'),
    () => (outcome = 'rejected'),
  )
  return { outcome: () => outcome }
}

describe('deadline', () => {
  it('after - knows what is left and when it is over', async () => {
    const clock = createManualClock()
    await clock.advance(500)
    const deadline = Deadline.after(1000, { clock })
    expect([deadline.at, deadline.remainingMs, deadline.expired, deadline.timeoutMs]).toEqual([1500, 1000, false, 1000])
    await clock.advance(400)
    expect(deadline.remainingMs).toBe(600)
    await clock.advance(600)
    expect([deadline.remainingMs, deadline.expired]).toEqual([0, true])
    await clock.advance(600)
    expect(deadline.remainingMs).toBe(0)
  })

  it('after null - never expires and sets no timer', async () => {
    const clock = createManualClock()
    const deadline = Deadline.after(null, { clock })
    deadline.watch(FACTS, () => expect.fail('ended'))
    expect([deadline.remainingMs, deadline.expired, clock.pending]).toEqual([Infinity, false, 0])
    deadline.check(FACTS)
  })

  it('after NaN - is refused', () => {
    expect(() => Deadline.after(NaN)).toThrow(TypeError)
  })

  it.each([0, -5])('after %s - is over at once', (timeoutMs) => {
    const deadline = Deadline.after(timeoutMs, { clock: createManualClock() })
    expect([deadline.expired, deadline.remainingMs]).toEqual([true, 0])
  })

  it.each([
    ['connect', 'connection to the broker'],
    ['declare', 'answer to a declaration'],
    ['publish', 'room to publish'],
    ['confirm', 'confirmation by the broker'],
    ['reply', 'reply'],
  ] as const)('timeoutError - in phase %s it says what was waited for', (phase, words) => {
    const error = Deadline.after(2000).timeoutError({ phase, delivery: 'unknown' })
    expect(error).toMatchObject({
      message: `No ${words} within 2000 ms`,
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase,
      delivery: 'unknown',
      timeoutMs: 2000,
      retryable: true,
    })
  })

  it('timeoutError - uses the words it is given', () => {
    expect(Deadline.after(1).timeoutError({ ...FACTS, waitingFor: 'partition' }).message).toBe(
      'No partition within 1 ms',
    )
  })

  it('check - throws the timeout or the reason of the signal, the signal first', async () => {
    const clock = createManualClock()
    const abort = new AbortController()
    const deadline = Deadline.after(10, { clock, signal: abort.signal })
    expect(() => deadline.check(FACTS)).not.toThrow()
    await clock.advance(10)
    expect(() => deadline.check(FACTS)).toThrow(/within 10 ms/)
    abort.abort(new Error('shutting down'))
    expect(() => deadline.check(FACTS)).toThrow('shutting down')
  })

  it('watch - ends once, at the deadline', async () => {
    const clock = createManualClock()
    const ends: unknown[] = []
    Deadline.after(10, { clock }).watch(FACTS, (error) => ends.push(error))
    await clock.advance(9)
    expect(ends).toEqual([])
    await clock.advance(100)
    expect(ends).toMatchObject([{ code: 'OSLO_MESSAGING_TIMEOUT' }])
  })

  it('watch - ends once, when the signal aborts, and leaves no timer', () => {
    const clock = createManualClock()
    const abort = new AbortController()
    const ends: unknown[] = []
    Deadline.after(10, { clock, signal: abort.signal }).watch(FACTS, (error) => ends.push(error))
    const reason = new Error('enough')
    abort.abort(reason)
    expect([ends, clock.pending]).toEqual([[reason], 0])
  })

  it('watch - with a signal that has aborted ends at once', () => {
    const clock = createManualClock()
    const ends: unknown[] = []
    Deadline.after(10, { clock, signal: AbortSignal.abort('reason') }).watch(FACTS, (error) => ends.push(error))
    expect([ends, clock.pending]).toEqual([['reason'], 0])
  })

  it('watch - called off, it neither ends nor leaves a timer', async () => {
    const clock = createManualClock()
    const abort = new AbortController()
    const cancel = Deadline.after(10, { clock, signal: abort.signal }).watch(FACTS, () => expect.fail('ended'))
    cancel()
    cancel()
    expect(clock.pending).toBe(0)
    abort.abort()
    await clock.advance(20)
  })

  it('watch - a timer that fires early or cannot wait so long is set again', async () => {
    const manual = createManualClock()
    const longestMs = 100
    const clock = {
      ...manual,
      setTimeout: (run: () => void, ms: number) => manual.setTimeout(run, Math.min(ms, longestMs)),
    }
    const ends: unknown[] = []
    Deadline.after(250, { clock }).watch(FACTS, (error) => ends.push(error))
    await manual.advance(249)
    expect(ends).toEqual([])
    await manual.advance(1)
    expect(ends).toHaveLength(1)
  })

  it('watch - many waits share one signal without a warning', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const abort = new AbortController()
    const clock = createManualClock()
    const cancels = Array.from({ length: 100 }, () =>
      Deadline.after(10, { clock, signal: abort.signal }).watch(FACTS, () => {}),
    )
    await clock.advance(0)
    for (const cancel of cancels) cancel()
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('race - settles as the promise does, and leaves no timer', async () => {
    const clock = createManualClock()
    const deadline = Deadline.after(10, { clock })
    await expect(deadline.race(Promise.resolve(5), FACTS)).resolves.toBe(5)
    await expect(deadline.race(Promise.reject(new Error('no')), FACTS)).rejects.toThrow('no')
    expect(clock.pending).toBe(0)
  })

  it('race - rejects at the deadline, and swallows the late failure', async () => {
    const clock = createManualClock()
    let fail = (_error: Error): void => {}
    const work = new Promise<void>((_resolve, reject) => (fail = reject))
    const racing = expect(Deadline.after(10, { clock }).race(work, FACTS)).rejects.toMatchObject(FACTS)
    await clock.advance(10)
    await racing
    fail(new Error('too late'))
    await clock.advance(0)
  })

  it('sleep - waits so long, on its clock', async () => {
    const clock = createManualClock()
    const { outcome } = observe(Deadline.after(1000, { clock }).sleep(100, FACTS))
    await clock.advance(99)
    expect(outcome()).toBe('pending')
    await clock.advance(1)
    expect([outcome(), clock.pending]).toEqual(['resolved', 0])
  })

  it('sleep - ends early at the deadline, and leaves no timer', async () => {
    const clock = createManualClock()
    const { outcome } = observe(Deadline.after(10, { clock }).sleep(100, FACTS))
    await clock.advance(10)
    expect([outcome(), clock.pending]).toEqual(['rejected', 0])
  })
})
