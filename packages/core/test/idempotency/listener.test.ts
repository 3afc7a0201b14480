import { describe, expect, it } from 'vitest'
import type { IdempotencyStore } from '../../src/idempotency/idempotency-store.ts'
import { MemoryIdempotencyStore } from '../../src/idempotency/memory-idempotency-store.ts'
import { getBatchNotificationListener } from '../../src/notify/batch-notification-listener.ts'
import { type NotificationOutcome, NotificationResult } from '../../src/notify/endpoint.ts'
import type { NotificationListenerOptions } from '../../src/notify/listener-parts.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { arriving, createFakeBus, FULL, watchChannel } from '../notify/fake-bus.ts'
import { started, TARGET } from '../notify/listening.ts'

const LEASE_MS = 3000

/** Two processes that listen for the same, with one store. Each counts the notifications it handles. */
async function twoProcesses(
  handle: (who: string) => unknown,
  store: IdempotencyStore = new MemoryIdempotencyStore(),
  options: NotificationListenerOptions = {},
) {
  const idempotency = { store, leaseMs: LEASE_MS, retryAfterMs: 100 }
  const start = async (who: string) => {
    const info = async (): Promise<NotificationOutcome> => (await handle(who)) as NotificationOutcome
    const bus = await createFakeBus({ capabilities: { ...FULL, deadLetters: true } })
    return await started([{ info }], { topic: 'once', idempotency, ...options }, bus)
  }
  return { one: await start('one'), two: await start('two') }
}

describe('notification listener - idempotency', () => {
  it('what another process has handled is acknowledged without its endpoint, and reported', async () => {
    const handled: string[] = []
    const dropped = watchChannel('oslo-messaging:message-dropped')
    const { one, two } = await twoProcesses((who) => handled.push(who))
    expect(await one.bus.deliver(arriving()).settled).toBe('acknowledged')
    expect(await two.bus.deliver(arriving(), { redelivered: true, uniqueId: 'id-7' }).settled).toBe('acknowledged')
    expect(handled).toEqual(['one'])
    expect(dropped).toEqual([
      { driver: 'fakebus', source: 'notification listener once', reason: 'duplicate', uniqueId: 'id-7' },
    ])
  })

  it('what another process is handling waits, and is dropped once that one is done', async () => {
    const gate = createDeferred<void>()
    const handled: string[] = []
    const { one, two } = await twoProcesses(async (who) => {
      await gate.promise
      handled.push(who)
    })
    const first = one.bus.deliver(arriving())
    const second = two.bus.deliver(arriving())
    await two.bus.clock.advance(1000)
    expect([first.settlements, second.settlements]).toEqual([[], []])
    gate.resolve()
    await first.settled
    await two.bus.clock.advance(100)
    expect(await second.settled).toBe('acknowledged')
    expect(handled).toEqual(['one'])
  })

  it('a handler that fails frees the notification for the next process', async () => {
    const handled: string[] = []
    const { one, two } = await twoProcesses(
      (who) => {
        handled.push(who)
        if (who === 'one') throw new Error('not here')
      },
      undefined,
      { allowRequeue: true },
    )
    expect(await one.bus.deliver(arriving()).settled).toBe('requeued')
    expect(await two.bus.deliver(arriving(), { redelivered: true }).settled).toBe('acknowledged')
    expect(handled).toEqual(['one', 'two'])
  })

  it('an endpoint that asks for requeue frees it as well', async () => {
    const handled: string[] = []
    const { one, two } = await twoProcesses(
      (who) => {
        handled.push(who)
        return who === 'one' ? NotificationResult.REQUEUE : undefined
      },
      undefined,
      { allowRequeue: true },
    )
    expect(await one.bus.deliver(arriving()).settled).toBe('requeued')
    expect(await two.bus.deliver(arriving()).settled).toBe('acknowledged')
    expect(handled).toEqual(['one', 'two'])
  })

  it('attempts of one listener go on: each has the claim, and the last one is remembered', async () => {
    let attempts = 0
    const handle = (): void => {
      attempts += 1
      if (attempts < 3) throw new Error(`attempt ${attempts}`)
    }
    const { one, two } = await twoProcesses(handle, undefined, { onFailure: { attempts: 3, backoff: 50 } })
    const delivery = one.bus.deliver(arriving())
    while (delivery.settlements.length === 0) await one.bus.clock.advance(50)
    expect(attempts).toBe(3)
    expect(await two.bus.deliver(arriving()).settled).toBe('acknowledged')
    expect(attempts).toBe(3)
  })

  it('a dead letter that is returned is handled: its failure was no handling', async () => {
    let failing = true
    let buried = 0
    const handled: string[] = []
    const { one, two } = await twoProcesses(
      (who) => {
        if (failing) throw new Error('broken')
        handled.push(who)
      },
      undefined,
      { onFailure: 'dead-letter' },
    )
    const gone = createDeferred<void>()
    one.bus.deliver(arriving(), { bury: async () => ((buried += 1), gone.resolve()) })
    await gone.promise
    failing = false
    expect(await two.bus.deliver(arriving()).settled).toBe('acknowledged')
    expect([buried, handled]).toEqual([1, ['two']])
  })

  it('a process that crashed is waited for as long as its lease, then another handles it', async () => {
    const clock = (await createFakeBus()).clock
    const store = new MemoryIdempotencyStore({ clock })
    await store.claim('notification listener once:5d761f43-c9ce-448c-aa28-1a353d07a624', {
      owner: 'crashed',
      leaseMs: LEASE_MS,
    })
    const handled: string[] = []
    const { two } = await twoProcesses((who) => handled.push(who), store)
    const delivery = two.bus.deliver(arriving())
    await two.bus.clock.advance(500)
    expect(handled).toEqual([])
    await clock.advance(LEASE_MS)
    await two.bus.clock.advance(100)
    expect(await delivery.settled).toBe('acknowledged')
    expect(handled).toEqual(['two'])
  })

  it('a slow handler keeps its claim longer than one lease', async () => {
    const gate = createDeferred<void>()
    const handled: string[] = []
    const bus = await createFakeBus()
    const store = new MemoryIdempotencyStore({ clock: bus.clock })
    const idempotency = { store, leaseMs: LEASE_MS, scope: 's' }
    const info = async (): Promise<void> => {
      await gate.promise
      handled.push('one')
    }
    await started([{ info }], { topic: 'once', idempotency }, bus)
    const delivery = bus.deliver(arriving())
    for (let waited = 0; waited < 5 * LEASE_MS; waited += 500) await bus.clock.advance(500)
    const id = 's:5d761f43-c9ce-448c-aa28-1a353d07a624'
    expect(await store.claim(id, { owner: 'other', leaseMs: LEASE_MS })).toBe('held')
    gate.resolve()
    await delivery.settled
    expect(handled).toEqual(['one'])
  })

  it('a store that cannot be reached loses nothing and doubles nothing: the notification waits', async () => {
    const handled: string[] = []
    const memory = new MemoryIdempotencyStore()
    let isDown = true
    const store: IdempotencyStore = {
      claim: async (...all) => {
        if (isDown) throw new Error('connection refused')
        return await memory.claim(...all)
      },
      done: (...all) => memory.done(...all),
      release: (...all) => memory.release(...all),
    }
    const { one } = await twoProcesses((who) => handled.push(who), store)
    const delivery = one.bus.deliver(arriving())
    await one.bus.clock.advance(350)
    expect([handled, delivery.settlements]).toEqual([[], []])
    expect(one.bus.lines[0]).toMatchObject({
      level: 'error',
      message: expect.stringContaining('claim of the idempotency store failed: connection refused'),
    })
    isDown = false
    await one.bus.clock.advance(100)
    expect(await delivery.settled).toBe('acknowledged')
    expect(handled).toEqual(['one'])
  })

  it('a store that never answers does not hold a notification for ever', async () => {
    const asked: string[] = []
    const memory = new MemoryIdempotencyStore()
    const store: IdempotencyStore = {
      claim: (id, claim) => {
        asked.push(id)
        return asked.length === 1 ? new Promise(() => {}) : memory.claim(id, claim)
      },
      done: (...all) => memory.done(...all),
      release: (...all) => memory.release(...all),
    }
    const { one } = await twoProcesses(() => {}, store)
    const delivery = one.bus.deliver(arriving())
    await one.bus.clock.advance(LEASE_MS)
    await one.bus.clock.advance(100)
    expect(await delivery.settled).toBe('acknowledged')
  })

  it('a store that forgets to be told is no reason to handle again: the notification is acknowledged', async () => {
    const memory = new MemoryIdempotencyStore()
    const store: IdempotencyStore = {
      claim: (...all) => memory.claim(...all),
      done: () => Promise.reject(new Error('connection refused')),
      release: (...all) => memory.release(...all),
    }
    const { one } = await twoProcesses(() => {}, store)
    expect(await one.bus.deliver(arriving()).settled).toBe('acknowledged')
  })

  it('a listener that stops hands back what it waited for', async () => {
    const store: IdempotencyStore = {
      claim: async () => 'held',
      done: async () => {},
      release: async () => {},
    }
    const { one } = await twoProcesses(() => expect.fail('ran'), store)
    const delivery = one.bus.deliver(arriving())
    await one.bus.clock.advance(350)
    await one.listener.stop()
    expect(delivery.settlements).toEqual(['requeued'])
    await one.listener.wait()
  })

  it('a listener that stops drops what the broker has forgotten and another process holds', async () => {
    const store: IdempotencyStore = { claim: async () => 'held', done: async () => {}, release: async () => {} }
    const bus = await createFakeBus({
      capabilities: { ...FULL, requeue: false, notificationAcknowledgement: 'before-handler' },
    })
    const idempotency = { store, retryAfterMs: 100 }
    const { listener } = await started([{ info: () => expect.fail('ran') }], { idempotency }, bus)
    const delivery = bus.deliver(arriving())
    await bus.clock.advance(50)
    await listener.stop()
    expect(await delivery.settled).toBe('acknowledged')
    await listener.wait()
  })

  it('two listeners of different topics or pools do not take each other for one', async () => {
    const store = new MemoryIdempotencyStore()
    const handled: string[] = []
    const start = async (topic: string, pool: string | null) => {
      const info = (): void => void handled.push(`${topic} ${String(pool)}`)
      return await started([{ info }], { topic, pool, idempotency: { store } })
    }
    const listeners = [await start('a', null), await start('b', null), await start('a', 'pool')]
    for (const { bus } of listeners) await bus.deliver(arriving()).settled
    expect(handled).toEqual(['a null', 'b null', 'a pool'])
  })

  it('a notification without an id is handled, whatever the store knows', async () => {
    const handled: string[] = []
    const { one, two } = await twoProcesses((who) => handled.push(who))
    await one.bus.deliver(arriving({ message_id: undefined })).settled
    await two.bus.deliver(arriving({ message_id: undefined })).settled
    expect(handled).toEqual(['one', 'two'])
  })

  it('what is held keeps its key back, and other keys go on', async () => {
    let state: 'held' | 'claimed' = 'held'
    const handled: unknown[] = []
    const store: IdempotencyStore = {
      claim: async (id) => (id.endsWith('first') ? state : 'claimed'),
      done: async () => {},
      release: async () => {},
    }
    const info = (...[, , eventType]: unknown[]): void => void handled.push(eventType)
    const { bus } = await started([{ info }], { idempotency: { store, retryAfterMs: 100 } })
    const first = bus.deliver(arriving({ message_id: 'first', event_type: '1' }), { orderingKey: 'k' })
    const second = bus.deliver(arriving({ message_id: 'second', event_type: '2' }), { orderingKey: 'k' })
    const other = bus.deliver(arriving({ message_id: 'third', event_type: '3' }), { orderingKey: 'l' })
    await other.settled
    expect([handled, first.settlements, second.settlements]).toEqual([['3'], [], []])
    state = 'claimed'
    await bus.clock.advance(100)
    await second.settled
    expect(handled).toEqual(['3', '1', '2'])
  })

  it('a batch has what this process may handle; the rest is dropped or waits', async () => {
    const bus = await createFakeBus()
    const store = new MemoryIdempotencyStore({ clock: bus.clock })
    const key = (id: string): string => `batch:${id}`
    await store.claim(key('held'), { owner: 'other', leaseMs: 1000 })
    await store.done(key('done'), { owner: 'other', keepMs: 1000_000 })
    const batches: unknown[] = []
    const listener = getBatchNotificationListener(
      bus.transport,
      [TARGET],
      [{ info: (batch) => void batches.push(batch.map(({ metadata }) => metadata.message_id)) }],
      { batchSize: 3, batchTimeoutMs: 10, idempotency: { store, scope: 'batch', retryAfterMs: 100 } },
    )
    await listener.start()
    const deliveries = ['held', 'done', 'free'].map((message_id) => bus.deliver(arriving({ message_id })))
    await deliveries[2]?.settled
    expect(batches).toEqual([['free']])
    expect(deliveries.map(({ settlements }) => settlements)).toEqual([[], ['acknowledged'], ['acknowledged']])
    for (let waited = 0; waited < 1200; waited += 100) await bus.clock.advance(100)
    await deliveries[0]?.settled
    expect(batches).toEqual([['free'], ['held']])
  })

  it('a batch that fails is claimed anew for its next attempt', async () => {
    const bus = await createFakeBus()
    const store = new MemoryIdempotencyStore({ clock: bus.clock })
    let attempts = 0
    const info = (): void => {
      attempts += 1
      if (attempts === 1) throw new Error('once')
    }
    const idempotency = { store, scope: 'batch' }
    const options = { batchSize: 1, idempotency, onFailure: { attempts: 2, backoff: 10 } }
    await getBatchNotificationListener(bus.transport, [TARGET], [{ info }], options).start()
    const delivery = bus.deliver(arriving({ message_id: 'm' }), { orderingKey: 'k' })
    while (delivery.settlements.length === 0) await bus.clock.advance(10)
    expect(attempts).toBe(2)
    expect(await store.claim('batch:m', { owner: 'other', leaseMs: 1000 })).toBe('done')
  })

  it.each([
    [{ store: {} }, /idempotency.store must have the methods claim, done, release/],
    [{}, /idempotency.store must be an object/],
    [{ store: new MemoryIdempotencyStore(), leaseMs: 10 }, /leaseMs must be milliseconds, 1000 or more, not 10/],
    [{ store: new MemoryIdempotencyStore(), lease: 10 }, /has no option lease; did you mean leaseMs/],
    [{ store: new MemoryIdempotencyStore(), scope: '' }, /scope must be a name, not empty text/],
    [{ store: new MemoryIdempotencyStore(), keepMs: Number.NaN }, /keepMs must be milliseconds/],
  ])('a wrong option is named: %o', async (idempotency, message) => {
    await expect(started([{ info: () => {} }], { idempotency: idempotency as never })).rejects.toThrow(message)
  })
})
