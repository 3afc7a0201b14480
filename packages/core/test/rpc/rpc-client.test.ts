import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ClientSendError,
  getRpcClient,
  InvalidTarget,
  isMessagingError,
  MessageUndeliverable,
  MessagingTimeout,
  NoOpSerializer,
  RemoteError,
  RPCClient,
  RPCVersionCapError,
  SerializationError,
  ServerLost,
  Target,
  TransportDriverError,
  UnsupportedCapability,
  ValueError,
} from '../../src/index.ts'
import type { MessageContext } from '../../src/driver/messages.ts'
import { createManualClock } from '../../src/testing.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { createScene, rejection, type Scene, thrownBy, turn } from './scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

const echo = { echo: (_context: object, args: object) => args }

describe('RPC client', () => {
  it('C1 get_rpc_client - makes a client; making the class directly warns', () => {
    expect(scene.client()).toBeInstanceOf(RPCClient)
    expect(scene.log.lines).toEqual([])
    void new RPCClient(scene.transport, new Target({ topic: 't' }))
    expect(scene.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getRpcClient') }])
  })

  it('C2 call - resolves to what the method returns', async () => {
    await scene.serve(echo)
    expect(await scene.client().call({ user_id: 'u' }, 'echo', { a: 1, b: [null, 'x'] })).toEqual({
      a: 1,
      b: [null, 'x'],
    })
  })

  it.each([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a promise of nothing', async () => {}],
  ])('C2 call - a method that returns %s gives null', async (_, method) => {
    await scene.serve({ method })
    expect(await scene.client().call({}, 'method')).toBeNull()
  })

  it('C2 call - the request on the wire has method, args, namespace and version in this order', async () => {
    await scene.serve({ target: new Target({ namespace: 'n', version: '1.3' }), go: () => 1 })
    await scene.client({}, { namespace: 'n', version: '1.2' }).call({ k: 'v' }, 'go', { x: 1 })
    const [sent] = scene.recorder.calls()
    expect(Object.keys(sent?.message ?? {})).toEqual(['method', 'args', 'namespace', 'version'])
    expect(sent).toMatchObject({ type: 'call', context: { k: 'v' }, message: { method: 'go', args: { x: 1 } } })
  })

  it('C2 call - without namespace, version and arguments only method and empty args are sent', async () => {
    await scene.serve({ go: () => 1 })
    await scene.client().call(null, 'go')
    expect(scene.recorder.calls()[0]).toMatchObject({ context: {}, message: { method: 'go', args: {} } })
    expect(Object.keys(scene.recorder.calls()[0]?.message ?? {})).toEqual(['method', 'args'])
  })

  it('C3 cast - resolves without a result once the broker has it', async () => {
    const ran = createDeferred<object>()
    await scene.serve({ go: (_context: object, args: object) => ran.resolve(args) })
    expect(await scene.client().cast({}, 'go', { a: 1 })).toBeUndefined()
    expect(await ran.promise).toEqual({ a: 1 })
    expect(scene.recorder.ofType('reply')).toEqual([])
  })

  it('C4 call on fanout - InvalidTarget before anything is sent', async () => {
    const client = scene.client({}, { fanout: true })
    expect(await rejection(client.call({}, 'echo'))).toBeInstanceOf(InvalidTarget)
    expect(scene.recorder.calls()).toEqual([])
  })

  it('C5 arguments - each value goes through the serializer, then the context; the result comes back through it', async () => {
    const order: string[] = []
    class Tracing extends NoOpSerializer {
      override async serializeEntity(_ctxt: object, entity: unknown): Promise<unknown> {
        order.push(`out ${String(entity)}`)
        return `<${String(entity)}>`
      }
      override serializeContext(ctxt: object): MessageContext {
        order.push('context')
        return { ...ctxt, traced: true }
      }
      override deserializeEntity(_ctxt: object, entity: unknown): unknown {
        order.push(`in ${String(entity)}`)
        return Promise.resolve(String(entity).toUpperCase())
      }
    }
    await scene.serve({
      join: (context: MessageContext, args: Record<string, string>) =>
        `${args['a']}${args['b']}${String(context['traced'])}`,
    })
    const client = scene.client({ serializer: new Tracing() })
    expect(await client.call({}, 'join', { a: 1, b: 2 })).toBe('<1><2>TRUE')
    expect(order).toEqual(['out 1', 'out 2', 'context', 'in <1><2>true'])
  })

  it('C6 prepare - replaces what is given, keeps what is left out, leaves the original alone', async () => {
    const base = scene.client(
      { timeoutMs: 100, versionCap: '2.5' },
      { exchange: 'e', namespace: 'n', version: '2.0', server: 's' },
    )
    const changed = base.prepare({ topic: 'other', version: '2.4', fanout: true, server: undefined })
    expect(String(changed.target)).toBe(
      '<Target exchange=e, topic=other, namespace=n, version=2.4, server=s, fanout=True>',
    )
    expect(String(base.target)).toBe(`<Target exchange=e, topic=${scene.topic}, namespace=n, version=2.0, server=s>`)
    expect(changed.canSendVersion('2.6')).toBe(false)
  })

  it('C6 prepare - null is a value, and it can be chained', () => {
    const base = scene.client({ versionCap: '1.0' }, { server: 's', namespace: 'n', version: '1.0' })
    const changed = base
      .prepare({ server: null, versionCap: null })
      .prepare({ namespace: null })
      .prepare({ version: '1.1' })
    expect(String(changed.target)).toBe(`<Target topic=${scene.topic}, version=1.1>`)
    expect(changed.canSendVersion('9.9')).toBe(true)
  })

  it('C6 prepare - a timeout of null is the configured one again', async () => {
    const clock = createManualClock()
    await using timed = await createScene({ clock, defaults: { rpc_response_timeout: 7 } })
    await timed.serve({ never: () => new Promise(() => {}) })
    const client = timed.client({ timeoutMs: 100 }).prepare({ timeoutMs: null })
    const failed = rejection(client.call({}, 'never'))
    await turn()
    await clock.advance(6999)
    await turn()
    await clock.advance(1)
    expect(await failed).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', timeoutMs: 7000 })
  })

  it.each(['1', 'a.b', '', '1.x'])('C7 version check in prepare - refuses %j', (version) => {
    const error = thrownBy(() => scene.client().prepare({ version }))
    expect(error).toBeInstanceOf(InvalidTarget)
    expect(error).toMatchObject({
      message: expect.stringContaining(`Version must contain a major and minor integer. Got ${version}`),
    })
    expect(thrownBy(() => scene.client().prepare({ versionCap: version }))).toBeInstanceOf(InvalidTarget)
  })

  it.each([
    ['1.5', '1.6'],
    ['1.5', '2.0'],
    ['1.5', null],
  ])('C8 version cap - %s refuses %s before anything is sent', async (versionCap, version) => {
    const client = scene.client({ versionCap }, { version })
    for (const sent of [client.call({}, 'echo'), client.cast({}, 'echo')]) {
      const error = await rejection(sent)
      expect(error).toBeInstanceOf(RPCVersionCapError)
      expect(error).toMatchObject({ version, versionCap, delivery: 'not-sent' })
    }
    expect(scene.recorder.calls()).toEqual([])
  })

  it('C8 version cap - lets a lower version pass', async () => {
    await scene.serve({ target: new Target({ version: '1.5' }), ...echo })
    expect(await scene.client({ versionCap: '1.5' }, { version: '1.4' }).call({}, 'echo', { a: 1 })).toEqual({ a: 1 })
  })

  it('C9 can_send_version - of the target or of the one given', () => {
    const client = scene.client({ versionCap: '1.5' }, { version: '1.5' })
    expect([client.canSendVersion(), client.canSendVersion('1.6'), client.canSendVersion('1.2')]).toEqual([
      true,
      false,
      true,
    ])
    expect(scene.client({ versionCap: '1.5' }, { version: '1.6' }).canSendVersion()).toBe(false)
    expect(scene.client().canSendVersion('9.9')).toBe(true)
  })

  it.each([
    ['of the call', { timeoutMs: 9000 }, 1000, 1000],
    ['of the client', { timeoutMs: 2000 }, undefined, 2000],
    ['of the configuration', {}, undefined, 3000],
  ])('C10 timeout - %s', async (_, options, callTimeoutMs, expected) => {
    const clock = createManualClock()
    await using timed = await createScene({ clock, defaults: { rpc_response_timeout: 3 } })
    await timed.serve({ never: () => new Promise(() => {}) })
    const failed = rejection(
      timed.client(options).call({}, 'never', {}, callTimeoutMs === undefined ? {} : { timeoutMs: callTimeoutMs }),
    )
    await turn()
    await clock.advance(expected - 1)
    await turn()
    await clock.advance(1)
    const error = await failed
    expect(error).toBeInstanceOf(MessagingTimeout)
    expect(error).toMatchObject({ phase: 'reply', delivery: 'confirmed', timeoutMs: expected })
  })

  it('C10 timeout - the stack begins where the call was made', async () => {
    await scene.serve({ never: () => new Promise(() => {}) })
    const thisFunctionCalls = async (): Promise<unknown> => await scene.client().call({}, 'never', {}, { timeoutMs: 5 })
    const error = await rejection(thisFunctionCalls())
    expect(error).toBeInstanceOf(MessagingTimeout)
    expect((error as Error).stack?.split('\n')[1]).toContain('thisFunctionCalls')
  })

  it('C11 retry - 0 is one attempt, N so many more, null and -1 go on until the deadline', async () => {
    await scene.serve(echo)
    scene.faults.refusePublish({ every: true, kind: 'request' })
    for (const retry of [0, 2]) {
      const error = await rejection(scene.client({ retry }).call({}, 'echo', {}, { timeoutMs: 5000 }))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', attempts: retry + 1, delivery: 'not-sent' })
    }
    for (const retry of [null, -1]) {
      const error = await rejection(scene.client({ retry }).call({}, 'echo', {}, { timeoutMs: 30 }))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
    }
  })

  it('C12 call_monitor_timeout - fails when nothing is heard, and lives on with signs of life', async () => {
    const clock = createManualClock()
    await using timed = await createScene({ clock })
    const done = createDeferred<string>()
    await timed.serve({ slow: () => done.promise })
    const client = timed.client({ timeoutMs: 3_600_000, callMonitorTimeoutMs: 2000 })
    const slow = client.call({}, 'slow')
    await turn()
    for (let second = 0; second < 10; second += 1) {
      await clock.advance(1000)
      await turn()
    }
    done.resolve('alive')
    expect(await slow).toBe('alive')

    const unmonitored = timed.client({ timeoutMs: 3_600_000, callMonitorTimeoutMs: 1000 })
    const lost = rejection(unmonitored.prepare({ server: 'nobody' }).call({}, 'slow'))
    await turn()
    await clock.advance(1000)
    expect(await lost).toBeInstanceOf(ServerLost)
  })

  it('C13 at_least_once - an unroutable message is undeliverable at once, for calls and casts', async () => {
    const client = scene.client({ transportOptions: { atLeastOnce: true } })
    for (const sent of [client.call({}, 'go'), client.cast({}, 'go')])
      expect(await rejection(sent)).toBeInstanceOf(MessageUndeliverable)
    const plain = client.prepare({ transportOptions: { atLeastOnce: false } })
    expect(await rejection(plain.call({}, 'go', {}, { timeoutMs: 20 }))).toBeInstanceOf(MessagingTimeout)
  })

  it('C14 remote errors - a builtin arrives as itself, an unknown class as RemoteError', async () => {
    class Unknown extends Error {}
    await scene.serve({
      value: () => {
        throw new ValueError('bad')
      },
      other: async () => {
        throw new Unknown('odd')
      },
    })
    const client = scene.client()
    const thisFunctionCalls = async (): Promise<unknown> => await client.call({}, 'value')
    const error = await rejection(thisFunctionCalls())
    expect(error).toBeInstanceOf(ValueError)
    expect(error).toMatchObject({ message: 'bad', cause: { traceback: expect.arrayContaining(['ValueError: bad\n']) } })
    expect((error as Error).stack?.split('\n')[1]).toContain('thisFunctionCalls')
    const other = await rejection(client.call({}, 'other'))
    expect(other).toBeInstanceOf(RemoteError)
    expect(other).toMatchObject({ excType: 'Unknown', module: 'node', value: 'odd', delivery: 'confirmed' })
  })

  it('C15 allowed_remote_exmods - a class in the table is rebuilt, both ways by the same name', async () => {
    class QuotaError extends Error {}
    await using allowing = await createScene({ allowedRemoteExmods: { 'nova.exception': { QuotaError } } })
    await allowing.serve({
      go: () => {
        throw new QuotaError('too many')
      },
    })
    const error = await rejection(allowing.client().call({}, 'go'))
    expect(error).toBeInstanceOf(QuotaError)
    expect(error).toMatchObject({ name: 'QuotaError_Remote', message: 'too many', cause: { module: 'nova.exception' } })
  })

  it('C16 parallel calls - replies find their callers whatever order they come in', async () => {
    const waiting = new Map<number, () => void>()
    await scene.serve({
      wait: (_context: object, { n }: { n: number }) =>
        new Promise((resolve) => {
          waiting.set(n, () => resolve(n))
          if (waiting.size === 50) for (const end of [...waiting.values()].reverse()) end()
        }),
    })
    const client = scene.client()
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    expect(await Promise.all(numbers.map((n) => client.call({}, 'wait', { n })))).toEqual(numbers)
  })

  it('C17 late replies - are dropped and reported, and the next call works', async () => {
    const dropped = createDeferred<unknown>()
    const onDropped = (event: unknown): void => dropped.resolve(event)
    subscribe('oslo-messaging:message-dropped', onDropped)
    try {
      const late = createDeferred<string>()
      await scene.serve({ late: () => late.promise, ...echo })
      const client = scene.client()
      expect(await rejection(client.call({}, 'late', {}, { timeoutMs: 5 }))).toBeInstanceOf(MessagingTimeout)
      late.resolve('too late')
      expect(await dropped.promise).toMatchObject({ reason: 'late-reply' })
      expect(await client.call({}, 'echo', { a: 1 })).toEqual({ a: 1 })
    } finally {
      unsubscribe('oslo-messaging:message-dropped', onDropped)
    }
  })

  it('C19 driver errors - become ClientSendError with the driver error as cause', async () => {
    await using broken = await createScene({
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.send = async () => {
            throw new TransportDriverError('socket closed', { retryable: true, phase: 'publish', delivery: 'unknown' })
          }
          return driver
        },
      }),
    })
    const error = await rejection(broken.client().call({}, 'go'))
    expect(error).toBeInstanceOf(ClientSendError)
    expect(error).toMatchObject({
      target: `<Target topic=${broken.topic}>`,
      retryable: true,
      phase: 'publish',
      delivery: 'unknown',
      cause: { message: 'socket closed' },
    })
  })

  it('C19 driver errors - one that is foreign is named and wrapped', async () => {
    await using broken = await createScene({
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.send = () => {
            throw new TypeError('undefined is not a function')
          }
          return driver
        },
      }),
    })
    const error = await rejection(broken.client().cast({}, 'go'))
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_SEND',
      cause: { code: 'OSLO_MESSAGING_DRIVER', cause: { name: 'TypeError' } },
    })
  })

  it('C20 at most once - a request the broker has is not repeated', async () => {
    const clock = createManualClock()
    await using timed = await createScene({ clock })
    timed.faults.dropReply({ every: true })
    await timed.serve(echo)
    const failed = rejection(timed.client({ retry: 5 }).call({}, 'echo', {}, { timeoutMs: 60_000 }))
    for (let step = 0; step < 60; step += 1) {
      await turn()
      await clock.advance(1000)
    }
    expect(await failed).toBeInstanceOf(MessagingTimeout)
    expect(timed.recorder.ofType('delivery')).toHaveLength(1)
  })
})

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
    const target = { topic: 't' } as unknown
    expect(() => getRpcClient(scene.transport, target as Target)).toThrow(/needs a Target/)
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
