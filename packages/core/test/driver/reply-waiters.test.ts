import { describe, expect, it } from 'vitest'
import type { RPCReply } from '../../src/driver/messages.ts'
import { ReplyWaiters } from '../../src/driver/reply-waiters.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { Deadline } from '../../src/util/deadline.ts'

const REPLY: RPCReply = { result: 42, failure: null }

function scene() {
  const clock = createManualClock()
  const waiters = new ReplyWaiters(clock)
  const options = (timeoutMs: number | null, callMonitorTimeoutMs: number | null = null, signal?: AbortSignal) => ({
    deadline: Deadline.after(timeoutMs, { clock, signal }),
    callMonitorTimeoutMs,
  })
  return { clock, waiters, options }
}

describe('reply waiters', () => {
  it('settle - gives the reply to the call with that id, in whatever order', async () => {
    const { clock, waiters, options } = scene()
    const calls = ['a', 'b'].map((id) => waiters.wait(id, options(1000, 500)))
    expect(waiters.size).toBe(2)
    expect(waiters.settle('b', { result: 'b', failure: null })).toBe(true)
    expect(waiters.settle('a', { result: 'a', failure: null })).toBe(true)
    expect((await Promise.all(calls)).map((reply) => reply.result)).toEqual(['a', 'b'])
    expect([waiters.size, clock.pending]).toEqual([0, 0])
  })

  it('settle - says when nobody waits: late, twice or foreign', async () => {
    const { clock, waiters, options } = scene()
    const call = waiters.wait('a', options(10))
    const outcome = expect(call).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    await clock.advance(10)
    await outcome
    expect([waiters.settle('a', REPLY), waiters.heartbeat('a'), waiters.fail('a', new Error('x'))]).toEqual([
      false,
      false,
      false,
    ])
  })

  it('wait - times out knowing that the broker had the request', async () => {
    const { clock, waiters, options } = scene()
    const outcome = expect(waiters.wait('a', options(10))).rejects.toMatchObject({
      message: 'No reply within 10 ms',
      phase: 'reply',
      delivery: 'confirmed',
    })
    await clock.advance(10)
    await outcome
    expect(clock.pending).toBe(0)
  })

  it('wait - a rejection that nobody looks at yet does not end the process', async () => {
    const { clock, waiters, options } = scene()
    const unhandled: unknown[] = []
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', onUnhandled)
    const call = waiters.wait('a', options(10))
    await clock.advance(10)
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
    await expect(call).rejects.toThrow('No reply')
  })

  it('wait - ends with the reason of the signal, before and while it waits', async () => {
    const { clock, waiters, options } = scene()
    const abort = new AbortController()
    const reason = new Error('enough')
    const call = waiters.wait('a', options(1000, 500, abort.signal))
    abort.abort(reason)
    await expect(call).rejects.toBe(reason)
    await expect(waiters.wait('b', options(1000, 500, abort.signal))).rejects.toBe(reason)
    expect([waiters.size, clock.pending]).toEqual([0, 0])
  })

  it('heartbeat - a monitored call fails when it hears nothing for so long', async () => {
    const { clock, waiters, options } = scene()
    const outcome = expect(waiters.wait('a', options(null, 100))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_SERVER_LOST',
      monitorTimeoutMs: 100,
      phase: 'reply',
      delivery: 'confirmed',
    })
    await clock.advance(80)
    expect(waiters.heartbeat('a')).toBe(true)
    await clock.advance(99)
    expect(waiters.size).toBe(1)
    await clock.advance(1)
    await outcome
    expect([waiters.size, clock.pending]).toEqual([0, 0])
  })

  it('heartbeat - keeps a call alive, but never beyond its deadline', async () => {
    const { clock, waiters, options } = scene()
    const outcome = expect(waiters.wait('a', options(1000, 100))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
    })
    for (let beat = 0; beat < 20; beat += 1) {
      await clock.advance(50)
      waiters.heartbeat('a')
    }
    await outcome
    expect(clock.now()).toBe(1000)
  })

  it('heartbeat - means nothing to a call that is not monitored', async () => {
    const { clock, waiters, options } = scene()
    const call = waiters.wait('a', options(null))
    expect(waiters.heartbeat('a')).toBe(true)
    await clock.advance(1e6)
    waiters.settle('a', REPLY)
    await expect(call).resolves.toBe(REPLY)
  })

  it('fail - ends one call, forget none', async () => {
    const { clock, waiters, options } = scene()
    const failed = waiters.wait('a', options(1000))
    let settled = false
    const mark = (): void => {
      settled = true
    }
    waiters.wait('b', options(1000, 100)).then(mark, mark)
    waiters.forget('b')
    waiters.forget('b')
    const reason = new Error('no')
    expect(waiters.fail('a', reason)).toBe(true)
    await expect(failed).rejects.toBe(reason)
    await clock.advance(5000)
    expect([settled, waiters.size, clock.pending]).toEqual([false, 0, 0])
  })
})
