import { describe, expect, it } from 'vitest'
import type { RPCCall } from '../../src/index.ts'
import { createManualClock } from '../../src/testing.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { createScene, rejection } from './scene.ts'

describe('the time a caller still waits', () => {
  it('reaches the method, and its signal fires when the caller has gone', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    const entered = createDeferred<RPCCall>()
    await scene.serve({
      work: (_context: object, _args: object, call: RPCCall) => {
        entered.resolve(call)
        return new Promise((_resolve, reject) => {
          call.signal.addEventListener('abort', () => reject(call.signal.reason as Error))
        })
      },
    })
    const outcome = rejection(scene.client().call({}, 'work', {}, { timeoutMs: 1000 }))
    await clock.advance(0)
    const call = await entered.promise
    expect(call.remainingMs).toBe(1000)
    await clock.advance(400)
    expect(call.remainingMs).toBe(600)
    expect(call.signal.aborted).toBe(false)
    await clock.advance(600)
    expect(call.signal.reason).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', message: /caller waited 1000 ms/ })
    expect(await outcome).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    expect(scene.recorder.events.filter(({ type }) => type === 'reply')).toEqual([])
  })

  it('a cast has none', async () => {
    await using scene = await createScene()
    const entered = createDeferred<RPCCall>()
    await scene.serve({ work: (_context: object, _args: object, call: RPCCall) => entered.resolve(call) })
    await scene.client().cast({}, 'work')
    expect((await entered.promise).remainingMs).toBe(null)
  })

  it('bounds the calls a method makes with the context it was given, unless they say otherwise', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    const client = scene.client()
    const inner: unknown[] = []
    await scene.serve({
      outer: async (context: object, args: { readonly free?: boolean }, call: RPCCall) => {
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 300))
        const options = args.free === true ? { timeoutMs: 5000, inheritDeadline: false } : { timeoutMs: 5000 }
        inner.push(call.remainingMs, await client.call(context, 'inner', {}, options))
      },
      inner: (_context: object, _args: object, call: RPCCall) => call.remainingMs,
    })
    for (const args of [{}, { free: true }]) {
      const done = client.call({}, 'outer', args, { timeoutMs: 1000 })
      await clock.advance(300)
      await done
    }
    expect(inner).toEqual([700, 700, 700, 5000])
  })

  it('a request whose caller has gone while it waited for a worker does not run', async () => {
    const clock = createManualClock()
    await using scene = await createScene({ clock })
    const gate = createDeferred<void>()
    const ran: unknown[] = []
    const work = async (_context: object, { id }: { readonly id: number }): Promise<void> => {
      ran.push(id)
      if (id === 1) await gate.promise
    }
    await scene.serve({ work }, { workers: 1 })
    const client = scene.client()
    const first = client.call({}, 'work', { id: 1 }, { timeoutMs: 60_000 })
    const second = rejection(client.call({}, 'work', { id: 2 }, { timeoutMs: 100 }))
    await clock.advance(100)
    await second
    const third = client.call({}, 'work', { id: 3 }, { timeoutMs: 60_000 })
    gate.resolve()
    await clock.advance(0)
    await Promise.all([first, third])
    expect(ran).toEqual([1, 3])
  })
})
