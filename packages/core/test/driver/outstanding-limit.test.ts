import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutstandingLimit } from '../../src/driver/outstanding-limit.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { Deadline } from '../../src/util/deadline.ts'

const patient = (): Deadline => Deadline.after(null)

describe('outstanding limit', () => {
  it('tryAcquire - takes places by count and by bytes', () => {
    const limit = new OutstandingLimit({ maxMessages: 2, maxBytes: 100 })
    expect([limit.tryAcquire(60), limit.tryAcquire(41), limit.tryAcquire(40), limit.tryAcquire(0)]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect([limit.messages, limit.bytes]).toEqual([2, 100])
  })

  it('tryAcquire - lets one message larger than everything through alone', () => {
    const limit = new OutstandingLimit({ maxMessages: 5, maxBytes: 10 })
    expect([limit.tryAcquire(1000), limit.tryAcquire(1)]).toEqual([true, false])
    limit.release(1000)
    expect(limit.tryAcquire(1)).toBe(true)
  })

  it('acquire - is first come, first served: a small one does not overtake a large one', async () => {
    const limit = new OutstandingLimit({ maxMessages: 10, maxBytes: 100 })
    const order: string[] = []
    await limit.acquire(90, patient())
    const large = limit.acquire(50, patient()).then(() => order.push('large'))
    const small = limit.acquire(5, patient()).then(() => order.push('small'))
    expect([limit.tryAcquire(1), limit.waiting]).toEqual([false, 2])
    limit.release(90)
    await Promise.all([large, small])
    expect([order, limit.bytes]).toEqual([['large', 'small'], 55])
  })

  it('acquire - rejects at the deadline with what is known, and lets those behind it go on', async () => {
    const clock = createManualClock()
    const limit = new OutstandingLimit({ maxMessages: 10, maxBytes: 100 })
    await limit.acquire(60, patient())
    const large = limit.acquire(50, Deadline.after(10, { clock }))
    const small = limit.acquire(5, patient())
    const outcome = expect(large).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_BACKPRESSURE',
      retryable: true,
      delivery: 'not-sent',
      cause: { code: 'OSLO_MESSAGING_TIMEOUT' },
    })
    await clock.advance(10)
    await outcome
    await small
    expect([limit.messages, limit.bytes, limit.waiting]).toEqual([2, 65, 0])
  })

  it.each([
    { name: 'count', bounds: { maxWaitingMessages: 2 } },
    { name: 'bytes', bounds: { maxWaitingBytes: 25 } },
  ])('P07 acquire - refuses at once what is more than may wait, by $name, and says what to do', async ({ bounds }) => {
    const limit = new OutstandingLimit({ maxMessages: 1, maxBytes: 100, remedy: 'raise maxThings', ...bounds })
    await limit.acquire(10, patient())
    const waiting = [limit.acquire(10, patient()), limit.acquire(10, patient())]
    await expect(limit.acquire(10, patient())).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_BACKPRESSURE',
      delivery: 'not-sent',
      message: '1 messages (10 bytes) are outstanding and 2 more (20 bytes) wait already: raise maxThings',
    })
    limit.release(10)
    await waiting[0]
    // One has left the queue: there is room in it again.
    const last = limit.acquire(10, patient())
    for (const before of [...waiting, last]) {
      await before
      limit.release(10)
    }
    expect([limit.messages, limit.waiting]).toEqual([0, 0])
  })

  it('P07 acquire - what gave up waiting makes room for others', async () => {
    const clock = createManualClock()
    const limit = new OutstandingLimit({ maxMessages: 1, maxBytes: 100, maxWaitingMessages: 1 })
    await limit.acquire(1, patient())
    const late = expect(limit.acquire(1, Deadline.after(10, { clock }))).rejects.toMatchObject({
      message:
        '1 messages (1 bytes) are outstanding and none was settled in time: await some of them before sending more',
    })
    await clock.advance(10)
    await late
    const next = limit.acquire(1, patient())
    limit.release(1)
    await next
    expect(limit.waiting).toBe(0)
  })

  it('acquire - rejects with the reason of the signal', async () => {
    const limit = new OutstandingLimit({ maxMessages: 1, maxBytes: 100 })
    await limit.acquire(1, patient())
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = limit.acquire(1, Deadline.after(null, { signal: abort.signal }))
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(limit.acquire(1, Deadline.after(null, { signal: abort.signal }))).rejects.toBe(reason)
    expect([limit.messages, limit.waiting]).toEqual([1, 0])
  })

  it('acquire - an admitted one is not ended by its deadline', async () => {
    const clock = createManualClock()
    const limit = new OutstandingLimit({ maxMessages: 1, maxBytes: 100 })
    await limit.acquire(1, patient())
    const waiting = limit.acquire(2, Deadline.after(10, { clock }))
    limit.release(1)
    await waiting
    await clock.advance(20)
    expect([limit.messages, limit.bytes, clock.pending]).toEqual([1, 2, 0])
  })

  it('never holds more than it may, and ends empty', async () => {
    const sizes = fc.array(fc.nat({ max: 150 }), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(sizes, async (list) => {
        const limit = new OutstandingLimit({ maxMessages: 4, maxBytes: 100, maxWaitingBytes: Infinity })
        await Promise.all(
          list.map(async (bytes) => {
            await limit.acquire(bytes, patient())
            expect(limit.messages).toBeLessThanOrEqual(4)
            expect(limit.messages === 1 || limit.bytes <= 100).toBe(true)
            await Promise.resolve()
            limit.release(bytes)
          }),
        )
        expect([limit.messages, limit.bytes, limit.waiting]).toEqual([0, 0, 0])
      }),
    )
  })
})
