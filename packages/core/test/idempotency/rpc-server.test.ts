import { describe, expect, it } from 'vitest'
import type { IncomingRequest } from '../../src/driver/messages.ts'
import type { IdempotencyStore } from '../../src/idempotency/idempotency-store.ts'
import { MemoryIdempotencyStore } from '../../src/idempotency/memory-idempotency-store.ts'
import { getRpcServer } from '../../src/rpc/server/get-rpc-server.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { createHandFedScene } from '../rpc/server/hand-fed-scene.ts'
import { watchChannel } from '../notify/fake-bus.ts'

/** One of several server processes: a driver that is fed by hand, and what became of each request. */
async function serverProcess(
  name: string,
  run: (method: { readonly n: number }) => unknown,
  store: IdempotencyStore,
  retryAfterMs = 1000,
) {
  const scene = await createHandFedScene()
  const server = getRpcServer(
    scene.fed.transport,
    { topic: 'once', server: name },
    [{ run: (_ctxt: object, args: { n: number }) => run(args) }],
    {
      acknowledge: 'after',
      idempotency: { store, leaseMs: 3000, retryAfterMs },
    },
  )
  await server.start()
  return {
    ...scene,
    deliverRequest: scene.deliver,
    server,
    /** Resolves with how the request ends. */
    deliver: (uniqueId: string, changes: Partial<IncomingRequest> = {}): Promise<'settled' | 'requeued'> => {
      const ended = createDeferred<'settled' | 'requeued'>()
      scene.deliver(
        scene.request(
          { method: 'run', args: { n: 1 } },
          { uniqueId, finished: () => ended.resolve('settled'), requeue: () => ended.resolve('requeued'), ...changes },
        ),
      )
      return ended.promise
    },
  }
}

describe('RPC server - idempotency', () => {
  it('a request that another server has served is settled without its method, and reported', async () => {
    const store = new MemoryIdempotencyStore()
    const ran: string[] = []
    const dropped = watchChannel('oslo-messaging:message-dropped')
    const one = await serverProcess('one', () => void ran.push('one'), store)
    const two = await serverProcess('two', () => void ran.push('two'), store)
    expect(await one.deliver('u-1')).toBe('settled')
    expect(await two.deliver('u-1', { redelivered: true })).toBe('settled')
    expect(ran).toEqual(['one'])
    expect(two.replies).toEqual([])
    expect(dropped).toContainEqual(expect.objectContaining({ reason: 'duplicate', uniqueId: 'u-1' }))
  })

  it('a request that another server is working on waits without a worker, and is tried again', async () => {
    const store = new MemoryIdempotencyStore()
    const gate = createDeferred<void>()
    const ran: string[] = []
    const one = await serverProcess(
      'one',
      async () => {
        await gate.promise
        throw new Error('broken')
      },
      store,
    )
    const two = await serverProcess('two', () => void ran.push('two'), store, 20)
    const first = one.deliver('u-1')
    const second = two.deliver('u-1')
    expect(await two.deliver('u-2')).toBe('settled')
    expect(ran).toEqual(['two'])
    gate.resolve()
    expect(await first).toBe('settled')
    // The first one failed, which frees the request.
    expect(await second).toBe('settled')
    expect(ran).toEqual(['two', 'two'])
    expect(one.replies).toMatchObject([{ failure: expect.stringContaining('broken') }])
  })

  it('a fanout reaches every server, each once', async () => {
    const store = new MemoryIdempotencyStore()
    const ran: string[] = []
    const one = await serverProcess('one', () => void ran.push('one'), store)
    const two = await serverProcess('two', () => void ran.push('two'), store)
    for (const each of [one, two, two]) await each.deliver('u-1', { isFanout: true, expectsReply: false })
    expect(ran).toEqual(['one', 'two'])
  })

  it('is remembered before the reply is sent: a server that dies in between does not run the method again', async () => {
    const store = new MemoryIdempotencyStore()
    const one = await serverProcess('one', () => 1, store)
    const seen: string[] = []
    await one.deliver('u-1', {
      reply: async () => void seen.push(await store.claim('rpc once:u-1', { owner: 'other', leaseMs: 1000 })),
    })
    expect(seen).toEqual(['done'])
  })

  it('a server that stops hands back what another one holds', async () => {
    const store: IdempotencyStore = { claim: async () => 'held', done: async () => {}, release: async () => {} }
    const one = await serverProcess('one', () => expect.fail('ran'), store)
    const request = one.deliver('u-1')
    await new Promise((resolve) => setImmediate(resolve))
    await one.server.stop()
    expect(await request).toBe('requeued')
    await one.server.wait()
  })

  it('a request without an id is served', async () => {
    const ran: number[] = []
    const one = await serverProcess('one', ({ n }) => void ran.push(n), new MemoryIdempotencyStore())
    for (let n = 0; n < 2; n += 1) {
      const ended = createDeferred<void>()
      const request = one.request({ method: 'run', args: { n } }, { finished: () => ended.resolve() })
      one.deliverRequest(request)
      await ended.promise
    }
    expect(ran).toEqual([0, 1])
  })

  it('is refused where requests are settled before they run: nothing would ever come again', async () => {
    const { fed } = await createHandFedScene()
    const options = { idempotency: { store: new MemoryIdempotencyStore() } }
    expect(() => getRpcServer(fed.transport, { topic: 't', server: 's' }, { run: () => {} }, options)).toThrow(
      /idempotency of an RPC server needs acknowledge: 'after'/,
    )
  })
})
