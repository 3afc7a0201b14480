import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NoOpSerializer, type RPCCall, ValueError } from '../../../src/index.ts'
import type { MessageContext } from '../../../src/driver/messages.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { createScene, rejection, type Scene } from '../scene.ts'
import { createHandFedScene } from './hand-fed-scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

describe('RPC server - what a method is given', () => {
  it('the context, its arguments, and the call', async () => {
    const calls: RPCCall[] = []
    const endpoint = {
      go(this: unknown, context: MessageContext, args: object, call: RPCCall) {
        calls.push(call)
        return [this === endpoint, context, args]
      },
    }
    await scene.serve(endpoint)
    expect(await scene.client().call({ k: 1 }, 'go', { a: 2 })).toEqual([true, { k: 1 }, { a: 2 }])
    expect(calls[0]).toMatchObject({ expectsReply: true, headers: {} })
    expect(calls[0]?.signal.aborted).toBe(false)
    expect(calls[0]?.signal).toBe(calls[0]?.signal)
  })

  it('the signal of the delivery', async () => {
    const { fed, deliver, request } = await createHandFedScene()
    await using _ = fed
    const aborted = createDeferred<unknown>()
    await fed.serve({
      go: (_context: object, _args: object, { signal }: RPCCall) =>
        new Promise<void>(() => signal.addEventListener('abort', () => aborted.resolve(signal.reason))),
    })
    const controller = new AbortController()
    deliver(request({ method: 'go' }, { signal: controller.signal }))
    controller.abort('taken away')
    expect(await aborted.promise).toBe('taken away')
  })

  it('Z5 serializers - the context first, then each argument with it; the result too', async () => {
    const order: unknown[] = []
    class Tracing extends NoOpSerializer {
      override async deserializeContext(ctxt: MessageContext): Promise<object> {
        order.push('context')
        return { ...ctxt, rich: true }
      }
      override deserializeEntity(ctxt: object, entity: unknown): unknown {
        order.push(['in', entity, ctxt])
        return entity
      }
      override serializeEntity(ctxt: object, entity: unknown): unknown {
        order.push(['out', entity, ctxt])
        return entity
      }
    }
    await scene.serve(
      { sum: (_context: object, { a, b }: { a: number; b: number }) => a + b },
      { serializer: new Tracing() },
    )
    expect(await scene.client().call({ u: 1 }, 'sum', { a: 1, b: 2 })).toBe(3)
    const rich = { u: 1, rich: true }
    expect(order).toEqual(['context', ['in', 1, rich], ['in', 2, rich], ['out', 3, rich]])
  })

  it('a serializer that fails fails the call, and the worker is free again', async () => {
    class Broken extends NoOpSerializer {
      override deserializeEntity(): unknown {
        throw new ValueError('unreadable argument')
      }
    }
    await scene.serve({ go: () => 1 }, { serializer: new Broken(), workers: 1 })
    const client = scene.client()
    expect(await rejection(client.call({}, 'go', { a: 1 }))).toBeInstanceOf(ValueError)
    expect(await client.call({}, 'go')).toBe(1)
  })

  it('an argument named __proto__ stays an argument', async () => {
    await scene.serve({ go: (_context: object, args: object) => [Object.keys(args), 'polluted' in args] })
    const args: unknown = JSON.parse('{"__proto__": {"polluted": true}}')
    expect(await scene.client().call({}, 'go', args as object)).toEqual([['__proto__'], false])
  })
})
