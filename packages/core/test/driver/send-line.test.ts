import { describe, expect, it } from 'vitest'
import { OutstandingLimit } from '../../src/driver/outstanding-limit.ts'
import { SendLine } from '../../src/driver/send-line.ts'
import { TransportDriverError } from '../../src/errors.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { createDeferred } from '../../src/util/deferred.ts'

const limitOf = (maxMessages: number): OutstandingLimit => new OutstandingLimit({ maxMessages, maxBytes: 1_000_000 })
const within = (ms: number, retries: number | null = null) => ({ deadline: Deadline.after(ms), retries })

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )
}

describe('SendLine', () => {
  it('hands messages over in the order of the calls, however long the connection takes', async () => {
    const up = createDeferred<void>()
    const line = new SendLine({ limit: limitOf(100), ready: () => up.promise })
    const order: number[] = []
    const sends = Array.from({ length: 20 }, (_, n) => line.send(10, within(5000), async () => void order.push(n)))
    up.resolve()
    await Promise.all(sends)
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('a deadline that ends before the connection is there leaves the message unsent, and the next one goes', async () => {
    const up = createDeferred<void>()
    const line = new SendLine({
      limit: limitOf(100),
      ready: (deadline, facts) => deadline.race(up.promise, facts),
    })
    const sent: string[] = []
    const early = failure(line.send(10, within(20), async () => void sent.push('early')))
    const late = line.send(10, within(5000), async () => void sent.push('late'))
    expect(await early).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
    up.resolve()
    await late
    expect(sent).toEqual(['late'])
  })

  it('holds its place until the broker has confirmed, however early the deadline was', async () => {
    const limit = limitOf(1)
    const line = new SendLine({ limit, ready: async () => {} })
    const confirm = createDeferred<void>()
    const error = await failure(line.send(10, within(20), () => confirm.promise))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'unknown', phase: 'confirm' })
    expect(limit.messages).toBe(1)
    expect(await failure(line.send(10, within(20), async () => {}))).toMatchObject({
      code: 'OSLO_MESSAGING_BACKPRESSURE',
    })
    confirm.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(limit.messages).toBe(0)
    await line.send(10, within(1000), async () => {})
  })

  it('repeats what did not arrive, as often as retries say, and nothing else', async () => {
    const line = new SendLine({ limit: limitOf(10), ready: async () => {}, random: () => 0 })
    let attempts = 0
    const refuse = (delivery: 'not-sent' | 'unknown') => async () => {
      attempts += 1
      throw new TransportDriverError('refused', { delivery, retryable: true })
    }
    expect(await failure(line.send(10, within(5000, 2), refuse('not-sent')))).toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      attempts: 3,
    })
    expect(attempts).toBe(3)
    attempts = 0
    expect(await failure(line.send(10, within(5000), refuse('unknown')))).toMatchObject({ delivery: 'unknown' })
    expect(attempts).toBe(1)
  })

  it('repeats what may have arrived only where the broker keeps it once, and resolves with what it confirmed', async () => {
    const line = new SendLine({ limit: limitOf(10), ready: async () => {}, random: () => 0 })
    let attempts = 0
    const lost = async (): Promise<string> => {
      attempts += 1
      if (attempts < 3) throw new TransportDriverError('the connection was lost', { retryable: true })
      return 'stored'
    }
    const terms = { ...within(5000), isRepeatable: () => true }
    expect(await line.send(10, terms, lost)).toBe('stored')
    expect(attempts).toBe(3)
    attempts = 0
    expect(await failure(line.send(10, { ...terms, retries: 1 }, lost))).toMatchObject({
      code: 'OSLO_MESSAGING_DELIVERY',
      attempts: 2,
      phase: 'confirm',
      delivery: 'unknown',
    })
  })

  it('what may have arrived stays unknown, whatever it waits for before it is sent again', async () => {
    const down = createDeferred<void>()
    let ups = 0
    const line = new SendLine({
      limit: limitOf(10),
      random: () => 0,
      ready: async (deadline, facts) => {
        ups += 1
        if (ups > 1) await deadline.race(down.promise, facts)
      },
    })
    const lost = async (): Promise<never> => {
      throw new TransportDriverError('the connection was lost', { retryable: true })
    }
    expect(await failure(line.send(10, { ...within(200), isRepeatable: () => true }, lost))).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: 'unknown',
    })
    expect(ups).toBe(2)
  })

  it('what may have arrived stays unknown when the broker refuses it the next time', async () => {
    const line = new SendLine({ limit: limitOf(10), ready: async () => {} })
    let isFirst = true
    const publish = async (): Promise<never> => {
      if (!isFirst) throw new TransportDriverError('no such queue', { delivery: 'not-sent', retryable: false })
      isFirst = false
      throw new TransportDriverError('the connection was lost', { retryable: true })
    }
    expect(await failure(line.send(10, { ...within(5000), isRepeatable: () => true }, publish))).toMatchObject({
      message: 'Gave up after 2 attempts: no such queue',
      phase: 'confirm',
      delivery: 'unknown',
      retryable: false,
      cause: { delivery: 'not-sent' },
    })
  })

  it('what a lost connection took is sent again in the order of the calls', async () => {
    const line = new SendLine({ limit: limitOf(100), ready: async () => {} })
    const isRepeatable = (): boolean => true
    const tries = new Map<number, number>()
    const stored: number[] = []
    const publish = async (n: number): Promise<void> => {
      tries.set(n, (tries.get(n) ?? 0) + 1)
      await Promise.resolve()
      if (tries.get(n) === 1) throw new TransportDriverError('the connection was lost', { retryable: true })
      stored.push(n)
    }
    const numbers = Array.from({ length: 20 }, (_, n) => n)
    await Promise.all(numbers.map((n) => line.send(10, { ...within(5000), isRepeatable }, () => publish(n))))
    expect(stored).toEqual(numbers)
  })

  it('gives the supervisor the retries that are left', async () => {
    const asked: (number | null | undefined)[] = []
    const line = new SendLine({
      limit: limitOf(10),
      random: () => 0,
      ready: async (_deadline, _facts, options) => void asked.push(options?.retries),
    })
    let isFirst = true
    await line.send(10, within(5000, 3), async () => {
      if (!isFirst) return
      isFirst = false
      throw new TransportDriverError('refused', { delivery: 'not-sent', retryable: true })
    })
    expect(asked).toEqual([3, 2])
  })
})
