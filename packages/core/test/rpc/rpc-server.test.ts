import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  expectedExceptions,
  ExecutorLoadFailure,
  getRpcServer,
  InvalidTarget,
  NoOpSerializer,
  RemoteError,
  type RPCCall,
  RPCServer,
  ServerListenError,
  Target,
  TransportDriverError,
  UnsupportedCapability,
  ValueError,
} from '../../src/index.ts'
import type { IncomingRequest, MessageContext, RPCReply } from '../../src/driver/messages.ts'
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

/** A driver whose listener is fed by hand. */
async function createHandFedScene(workers = 2) {
  let deliver: (request: IncomingRequest) => void = () => {}
  const replies: RPCReply[] = []
  const log: string[] = []
  const fed = await createScene({
    driver: (memory) => ({
      ...memory,
      open: async (url, context) => {
        const driver = await memory.open(url, context)
        driver.listen = async (_target, options) => {
          log.push(`prefetch ${options.prefetch}`)
          deliver = options.onMessage
          return {
            closed: new Promise(() => {}),
            stop: async () => void log.push('stop'),
            close: async () => void log.push('close'),
          }
        }
        return driver
      },
    }),
  })
  const request = (message: Record<string, unknown>, changes: Partial<IncomingRequest> = {}): IncomingRequest => ({
    context: {},
    message,
    expectsReply: true,
    callMonitorTimeout: null,
    acknowledge: () => void log.push(`ack ${String(message['method'])}`),
    reply: async (reply) => void replies.push(reply),
    heartbeat: async () => true,
    requeue: () => void log.push(`requeue ${String(message['method'])}`),
    ...changes,
  })
  return { fed, workers, log, replies, deliver: (message: IncomingRequest) => deliver(message), request }
}

const failureOf = (reply: RPCReply | undefined): Record<string, unknown> =>
  JSON.parse(reply?.failure ?? 'null') as Record<string, unknown>

describe('RPC server', () => {
  it('S1 get_rpc_server - makes a server that serves', async () => {
    const server = await scene.serve({ go: () => 'done' })
    expect(server).toBeInstanceOf(RPCServer)
    expect(await scene.client().call({}, 'go')).toBe('done')
  })

  it('S2 executor - oslo names are accepted, others refused by name', () => {
    for (const executor of ['threading', 'eventlet', null])
      expect(scene.server({}, { executor })).toBeInstanceOf(RPCServer)
    const error = thrownBy(() => scene.server({}, { executor: 'blocking' }))
    expect(error).toBeInstanceOf(ExecutorLoadFailure)
    expect(error).toMatchObject({ executor: 'blocking' })
  })

  it('S3 start - a second start serves each request once', async () => {
    let runs = 0
    const server = await scene.serve({ go: () => (runs += 1) })
    await server.start()
    expect(await scene.client().call({}, 'go')).toBe(1)
  })

  it('S3 start - a driver error while listening is ServerListenError', async () => {
    await using broken = await createScene({
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.listen = async () => {
            throw new TransportDriverError('no route to host')
          }
          return driver
        },
      }),
    })
    const error = await rejection(broken.server({}).start())
    expect(error).toBeInstanceOf(ServerListenError)
    expect(error).toMatchObject({
      target: `<Target topic=${broken.topic}, server=node1>`,
      cause: { message: 'no route to host' },
    })
  })

  it('T24 start - a server needs a topic and a server name', async () => {
    for (const fields of [{ topic: null }, { server: null }, { server: '' }, { topic: '' }]) {
      const error = await rejection(scene.server({}, {}, fields).start())
      expect(error).toBeInstanceOf(InvalidTarget)
    }
  })

  it('S4 stop - a running call is answered, a later one goes to the other server', async () => {
    const running = createDeferred<string>()
    const began = createDeferred<void>()
    const first = await scene.serve({
      go: () => {
        began.resolve()
        return running.promise
      },
    })
    const call = scene.client().call({}, 'go')
    await began.promise
    await first.stop()
    await scene.serve({ go: () => 'second' }, {}, { server: 'node2' })
    expect(await scene.client().call({}, 'go')).toBe('second')
    running.resolve('first')
    expect(await call).toBe('first')
    await first.wait()
  })

  it('S4 stop - a request no worker has taken is handed back and served elsewhere', async () => {
    const hold = createDeferred<string>()
    const began = createDeferred<void>()
    const first = await scene.serve(
      {
        go: () => {
          began.resolve()
          return hold.promise
        },
      },
      { workers: 1 },
    )
    const held = scene.client().call({}, 'go')
    await began.promise
    const waiting = scene.client().call({}, 'go')
    await turn()
    await first.stop()
    await scene.serve({ go: () => 'second' }, {}, { server: 'node2' })
    expect(await waiting).toBe('second')
    hold.resolve('first')
    expect(await held).toBe('first')
  })

  it('S5 wait - replies are out before it resolves', async () => {
    const { fed, deliver, request, log } = await createHandFedScene()
    await using _ = fed
    const server = await fed.serve({ go: () => 1 })
    const sent = createDeferred<void>()
    deliver(request({ method: 'go' }, { reply: () => sent.promise }))
    await server.stop()
    const waited = server.wait().then(() => log.push('waited'))
    await turn()
    expect(log).not.toContain('waited')
    sent.resolve()
    await waited
    expect(log.slice(-2)).toEqual(['close', 'waited'])
  })

  it('S6 order - stop and start again serves again', async () => {
    const server = await scene.serve({ go: () => 1 })
    await server.stop()
    await server.wait()
    await server.start()
    expect(await scene.client().call({}, 'go')).toBe(1)
  })

  it('S9 workers - no more run at a time than the server has, and the driver is asked for twice as many', async () => {
    const { fed, deliver, request, log } = await createHandFedScene()
    await using _ = fed
    const ends: (() => void)[] = []
    const server = await fed.serve({ go: () => new Promise<void>((resolve) => ends.push(resolve)) }, { workers: 2 })
    for (let n = 0; n < 4; n += 1) deliver(request({ method: 'go' }))
    expect(log).toEqual(['prefetch 4', 'ack go', 'ack go'])
    ends[0]?.()
    await turn()
    expect(log).toHaveLength(4)
    await server.stop()
    expect(log.at(-1)).toBe('requeue go')
  })

  it('S9 workers - come from executor_thread_pool_size when nobody says', async () => {
    const { fed, log } = await createHandFedScene()
    await using _ = fed
    await fed.serve({})
    expect(log).toEqual(['prefetch 128'])
  })

  it('S10 round robin - servers of one topic share its requests', async () => {
    const served: Record<string, number> = { a: 0, b: 0, c: 0 }
    for (const server of Object.keys(served))
      await scene.serve({ go: () => (served[server] = (served[server] ?? 0) + 1) }, { workers: 1 }, { server })
    const client = scene.client()
    await Promise.all(Array.from({ length: 14 }, () => client.call({}, 'go')))
    expect(Object.values(served).reduce((sum, count) => sum + count)).toBe(14)
    expect(Object.values(served).every((count) => count > 0)).toBe(true)
  })

  it('S11 specific server - only that one gets it', async () => {
    for (const server of ['a', 'b']) await scene.serve({ who: () => server }, {}, { server })
    const client = scene.client({}, { server: 'b' })
    expect(await Promise.all([1, 2, 3].map(() => client.call({}, 'who')))).toEqual(['b', 'b', 'b'])
  })

  it('S12 fanout - every server gets it', async () => {
    const heard: string[] = []
    const all = createDeferred<void>()
    for (const server of ['a', 'b', 'c'])
      await scene.serve({ hear: () => heard.push(server) === 3 && all.resolve() }, {}, { server })
    await scene.client({}, { fanout: true }).cast({}, 'hear')
    await all.promise
    expect(heard.sort()).toEqual(['a', 'b', 'c'])
  })

  it('S13 early acknowledge - the request is settled before its method runs', async () => {
    const { fed, deliver, request, log } = await createHandFedScene()
    await using _ = fed
    await fed.serve({ go: () => void log.push('run') })
    deliver(request({ method: 'go' }))
    expect(log.slice(1)).toEqual(['ack go', 'run'])
  })

  it('S14 reply failures - are logged, never raised; what cannot be encoded becomes a failure for the client (WIRE 10.16)', async () => {
    await scene.serve({ go: () => ({ f: () => 1 }) })
    const error = await rejection(scene.client().call({}, 'go', {}, { timeoutMs: 2000 }))
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ excType: 'SerializationError' })
    expect(scene.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('S14 reply failures - a reply that waits does not hold its worker, and too many of them do', async () => {
    const { fed, deliver, request, log } = await createHandFedScene()
    await using _ = fed
    await fed.serve({ go: () => 1 }, { workers: 1 })
    const stuck = createDeferred<void>()
    for (let n = 0; n < 40; n += 1) deliver(request({ method: 'go' }, { reply: () => stuck.promise }))
    await turn()
    const taken = log.filter((line) => line === 'ack go').length
    expect(taken).toBeGreaterThan(10)
    expect(taken).toBeLessThan(40)
    stuck.resolve()
    await turn()
    await turn()
    expect(log.filter((line) => line === 'ack go')).toHaveLength(40)
  })

  it('S15 logging of failures - errors with the error, expected ones and _ignore_errors at debug', async () => {
    await scene.serve({
      boom: () => {
        throw new Error('bang')
      },
      expected: expectedExceptions([ValueError], () => {
        throw new ValueError('as agreed')
      }),
    })
    const client = scene.client()
    for (const method of ['boom', 'expected', 'probe_ignore_errors', 'missing'])
      await rejection(client.call({}, method))
    const lines = scene.log.lines.map(({ level, message }) => `${level} ${message.split(' ')[0]}`)
    expect(lines).toEqual(['error boom', 'debug expected', 'debug probe_ignore_errors', 'error missing'])
    expect(scene.log.lines[0]?.fields).toMatchObject({ error: { message: 'bang' } })
  })

  it('S17 T20 notification transport - only a warning', async () => {
    const { getNotificationTransport, loadConfig } = await import('../../src/index.ts')
    await using bus = await getNotificationTransport(await loadConfig(), { url: 'memory://s17', logger: scene.log })
    void getRpcServer(bus, new Target({ topic: 't', server: 's' }), [])
    expect(scene.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getRpcTransport') }])
  })

  it('D2 capability - a notify-only driver is refused when the server is built', async () => {
    const { getNotificationTransport, loadConfig } = await import('../../src/index.ts')
    const { createMemoryDriver } = await import('../../src/testing.ts')
    const memory = createMemoryDriver()
    const notifyOnly = { ...memory, name: 'kafka', capabilities: { ...memory.capabilities, rpc: false } }
    await using bus = await getNotificationTransport(await loadConfig(), {
      url: 'kafka://',
      registry: { resolve: async () => notifyOnly },
    })
    const error = thrownBy(() => getRpcServer(bus, new Target({ topic: 't', server: 's' }), []))
    expect(error).toBeInstanceOf(UnsupportedCapability)
  })
})

describe('RPC server - requests that cannot be read', () => {
  it.each([
    ['no method', {}, /method must be a name and is missing/],
    ['an empty method', { method: '' }, /method .* is empty/],
    ['a method that is no text', { method: 7 }, /method .* of type number/],
    ['arguments in a list', { method: 'go', args: [1] }, /args must be an object/],
    ['arguments in a text', { method: 'go', args: 'x' }, /args must be an object/],
    ['a namespace that is no text', { method: 'go', namespace: {} }, /namespace/],
    ['a version that is no text', { method: 'go', version: 1.5 }, /version/],
  ])('%s - is acknowledged, reported and answered, and the next one is handled', async (_, message, text) => {
    const dropped: unknown[] = []
    const keep = (event: unknown): void => void dropped.push(event)
    subscribe('oslo-messaging:message-dropped', keep)
    const { fed, deliver, request, log, replies } = await createHandFedScene()
    await using _fed = fed
    try {
      await fed.serve({ go: () => 'fine' }, { workers: 1 })
      deliver(request(message, { uniqueId: 'u1' }))
      deliver(request(message, { expectsReply: false, uniqueId: 'u2' }))
      deliver(request({ method: 'go' }))
      await turn()
      expect(log.filter((line) => line.startsWith('ack'))).toHaveLength(3)
      expect(failureOf(replies[0])).toMatchObject({ class: 'SerializationError', message: expect.stringMatching(text) })
      expect(replies.slice(1)).toEqual([{ result: 'fine', failure: null }])
      expect(dropped).toMatchObject([
        { reason: 'unreadable', uniqueId: 'u1' },
        { reason: 'unreadable', uniqueId: 'u2' },
      ])
    } finally {
      unsubscribe('oslo-messaging:message-dropped', keep)
    }
  })

  it.each([{ method: 'go', args: null }, { method: 'go' }, { method: 'go', namespace: null, version: null }])(
    '%j is one that can be: what is missing has a default',
    async (message) => {
      const { fed, deliver, request, replies } = await createHandFedScene()
      await using _ = fed
      await fed.serve({ go: (_context: object, args: object) => Object.keys(args) })
      deliver(request(message))
      await turn()
      expect(replies).toEqual([{ result: [], failure: null }])
    },
  )
})

describe('D15 heartbeats (WIRE 2.3)', () => {
  async function monitored(callMonitorTimeout: number | null, changes: Partial<IncomingRequest> = {}) {
    const clock = createManualClock()
    const scripted = await createHandFedScene()
    await scripted.fed[Symbol.asyncDispose]()
    let deliver: (request: IncomingRequest) => void = () => {}
    const timed = await createScene({
      clock,
      driver: (memory) => ({
        ...memory,
        open: async (url, context) => {
          const driver = await memory.open(url, context)
          driver.listen = async (_target, options) => {
            deliver = options.onMessage
            return { closed: new Promise(() => {}), stop: async () => {}, close: async () => {} }
          }
          return driver
        },
      }),
    })
    const done = createDeferred<unknown>()
    let beats = 0
    await timed.serve({ slow: () => done.promise })
    const send = (method: string): void =>
      deliver(
        scripted.request(
          { method },
          {
            callMonitorTimeout,
            heartbeat: async () => {
              beats += 1
              return true
            },
            ...changes,
          },
        ),
      )
    const pass = async (ms: number): Promise<number> => {
      for (let passed = 0; passed < ms; passed += 250) {
        await clock.advance(250)
        await turn()
      }
      return beats
    }
    return { timed, send, pass, done }
  }

  it.each([
    [2, 1000],
    [5, 2500],
    [3.9, 1500],
  ])('a monitor timeout of %s s - one every %s ms, the first after one interval', async (timeout, intervalMs) => {
    const { timed, send, pass, done } = await monitored(timeout)
    await using _ = timed
    send('slow')
    expect(await pass(intervalMs - 250)).toBe(0)
    expect(await pass(250)).toBe(1)
    expect(await pass(3 * intervalMs)).toBe(4)
    done.resolve(1)
    await turn()
    expect(await pass(10_000)).toBe(4)
  })

  it.each([[1], [1.9], [0], [-5], [Number.NaN], [null]])('a monitor timeout of %s gets none', async (timeout) => {
    const { timed, send, pass } = await monitored(timeout)
    await using _ = timed
    send('slow')
    expect(await pass(20_000)).toBe(0)
  })

  it('they end when the method fails', async () => {
    const { timed, send, pass, done } = await monitored(2)
    await using _ = timed
    send('slow')
    expect(await pass(1000)).toBe(1)
    done.reject(new Error('no'))
    await turn()
    expect(await pass(10_000)).toBe(1)
  })

  it('they never begin for a method that does not exist (WIRE 10.2)', async () => {
    const { timed, send, pass } = await monitored(2)
    await using _ = timed
    send('missing')
    expect(await pass(10_000)).toBe(0)
  })

  it('they end when the client cannot be reached', async () => {
    let asked = 0
    const { timed, send, pass } = await monitored(2, {
      heartbeat: async () => {
        asked += 1
        return asked < 2
      },
    })
    await using _ = timed
    send('slow')
    await pass(10_000)
    expect(asked).toBe(2)
  })

  it('a cast gets none', async () => {
    const { timed, send, pass } = await monitored(2, { expectsReply: false })
    await using _ = timed
    send('slow')
    expect(await pass(10_000)).toBe(0)
  })
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
