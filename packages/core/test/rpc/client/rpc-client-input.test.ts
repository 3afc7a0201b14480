import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  getRpcClient,
  InvalidTarget,
  isMessagingError,
  NoOpSerializer,
  SerializationError,
  type Target,
  UnsupportedCapability,
} from '../../../src/index.ts'
import type { MessageContext } from '../../../src/driver/messages.ts'
import { createScene, rejection, type Scene, thrownBy, turn } from '../scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

const echo = { echo: (_context: object, args: object) => args }

describe('RPC client - bad input is refused before anything is sent', () => {
  type Loose = (context: unknown, method: unknown, args?: unknown, options?: unknown) => Promise<unknown>
  const loose = (): { call: Loose; cast: Loose } => {
    const client = scene.client() as unknown
    return client as { call: Loose; cast: Loose }
  }

  it.each([
    ['a method that is no name', [{}, 7]],
    ['an empty method', [{}, '']],
    ['no method', [{}, undefined]],
    ['arguments in a list', [{}, 'm', [1]]],
    ['arguments that are a text', [{}, 'm', 'x']],
    ['arguments that are null', [{}, 'm', null]],
    ['a context that is a text', ['ctx', 'm', {}]],
    ['a context that is a list', [[], 'm', {}]],
    ['a negative timeout', [{}, 'm', {}, { timeoutMs: -1 }]],
    ['a timeout that is no number', [{}, 'm', {}, { timeoutMs: Number.NaN }]],
    ['a timeout in words', [{}, 'm', {}, { timeoutMs: '5' }]],
    ['an endless timeout', [{}, 'm', {}, { timeoutMs: Infinity }]],
  ] as const)('%s', async (_, input) => {
    const [context, method, args, options] = input as readonly unknown[]
    for (const verb of ['call', 'cast'] as const) {
      const error = await rejection(loose()[verb](context, method, args, options))
      expect(error).toBeInstanceOf(TypeError)
      expect((error as Error).message.length).toBeGreaterThan(10)
    }
    expect(scene.recorder.calls()).toEqual([])
  })

  it.each([
    [{ timeoutMs: -1 }, /timeoutMs/],
    [{ retry: -2 }, /retry/],
    [{ retry: 1.5 }, /retry/],
    [{ callMonitorTimeoutMs: Number.NaN }, /callMonitorTimeoutMs/],
  ])('client options %j', (options, message) => {
    expect(() => scene.client(options)).toThrow(TypeError)
    expect(() => scene.client(options)).toThrow(message)
    expect(() => scene.client().prepare(options)).toThrow(message)
  })

  it('a target that is none', () => {
    for (const target of ['t', ['t'], null] as unknown[])
      expect(() => getRpcClient(scene.transport, target as Target)).toThrow(/needs a target such as/)
  })

  it('T24 a target without a topic', async () => {
    const error = await rejection(scene.client({}, { topic: null }).call({}, 'm'))
    expect(error).toBeInstanceOf(InvalidTarget)
  })

  it('an argument that JSON cannot hold', async () => {
    const error = await rejection(scene.client().call({}, 'm', { f: () => 1 }))
    expect(error).toBeInstanceOf(SerializationError)
    expect(scene.recorder.calls()).toEqual([])
  })
})

describe('RPC client - what the driver cannot do is refused while the client is built (DESIGN D2)', () => {
  it.each([
    ['rpcFanout', {}, { fanout: true }],
    ['rpcCallMonitoring', { callMonitorTimeoutMs: 2000 }, {}],
    ['rpcAtLeastOnce', { transportOptions: { atLeastOnce: true } }, {}],
  ] as const)('%s', async (capability, options, fields) => {
    await using poor = await createScene({
      driver: (memory) => ({ ...memory, name: 'poor', capabilities: { ...memory.capabilities, [capability]: false } }),
    })
    for (const build of [() => poor.client(options, fields), () => poor.client().prepare({ ...options, ...fields })]) {
      const error = thrownBy(build)
      expect(error).toBeInstanceOf(UnsupportedCapability)
      expect(error).toMatchObject({ capability, message: expect.stringMatching(/^poor .*: leave /) })
    }
  })
})

describe('RPC client - signal and diagnostics', () => {
  it('errors of the application keep their stacks: the reason of a signal, what a serializer throws', async () => {
    const where = (error: Error): string | undefined => error.stack?.split('\n')[1]
    const reason = new Error('enough')
    const before = where(reason)
    await rejection(scene.client().call({}, 'm', {}, { signal: AbortSignal.abort(reason) }))
    expect(where(reason)).toBe(before)
    class Broken extends NoOpSerializer {
      override serializeEntity(): unknown {
        return this.thisMethodFails()
      }
      thisMethodFails(): never {
        throw new SerializationError('no')
      }
    }
    const error = await rejection(scene.client({ serializer: new Broken() }).call({}, 'm', { a: 1 }))
    expect(where(error as Error)).toContain('thisMethodFails')
  })

  it('an aborted signal ends the call with its reason, before and during it', async () => {
    await scene.serve({ never: () => new Promise(() => {}) })
    const client = scene.client()
    const reason = new Error('enough')
    expect(await rejection(client.call({}, 'never', {}, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(scene.recorder.calls()).toEqual([])
    const controller = new AbortController()
    const failed = rejection(client.call({}, 'never', {}, { signal: controller.signal }))
    await turn()
    controller.abort(reason)
    expect(await failed).toBe(reason)
  })

  it('start and end of each call and cast reach the channels, with the error', async () => {
    const events: Record<string, unknown>[] = []
    const topic = scene.topic
    const keep = (event: unknown): void => {
      const facts = event as Record<string, unknown>
      if (String(facts['target']).includes(topic)) events.push(facts)
    }
    const names = ['oslo-messaging:rpc-client:start', 'oslo-messaging:rpc-client:end']
    for (const name of names) subscribe(name, keep)
    try {
      await scene.serve(echo)
      await scene.client().call({}, 'echo')
      await rejection(scene.client().call({}, 'missing'))
    } finally {
      for (const name of names) unsubscribe(name, keep)
    }
    expect(events).toHaveLength(4)
    expect(events[1]).toMatchObject({ kind: 'call', method: 'echo', durationMs: expect.any(Number) })
    expect(events[1]?.['id']).toBe(events[0]?.['id'])
    expect(isMessagingError(events[3]?.['error'], 'NO_SUCH_METHOD')).toBe(true)
  })

  it('a context with fields of its own reaches the method', async () => {
    const id = randomUUID()
    await scene.serve({ who: (context: MessageContext) => context['request_id'] })
    expect(await scene.client().call({ request_id: id }, 'who')).toBe(id)
  })
})
