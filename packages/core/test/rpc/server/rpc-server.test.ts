import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  expectedExceptions,
  ExecutorLoadFailure,
  getRpcServer,
  InvalidTarget,
  RemoteError,
  RPCServer,
  ServerListenError,
  Target,
  TransportDriverError,
  UnsupportedCapability,
  ValueError,
} from '../../../src/index.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { createScene, rejection, type Scene, thrownBy, turn } from '../scene.ts'
import { createHandFedScene } from './hand-fed-scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

describe('RPC server', () => {
  it('S1 get_rpc_server - makes a server that serves', async () => {
    const server = await scene.serve({ go: () => 'done' })
    expect(server).toBeInstanceOf(RPCServer)
    expect(await scene.client().call({}, 'go')).toBe('done')
  })

  it('S2 executor - oslo names are accepted, others refused by name', () => {
    for (const executor of ['threading', 'eventlet', null])
      expect(scene.server({ m() {} }, { executor })).toBeInstanceOf(RPCServer)
    const error = thrownBy(() => scene.server({ m() {} }, { executor: 'blocking' }))
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
    const error = await rejection(broken.server({ m() {} }).start())
    expect(error).toBeInstanceOf(ServerListenError)
    expect(error).toMatchObject({
      target: `<Target topic=${broken.topic}, server=node1>`,
      cause: { message: 'no route to host' },
    })
  })

  it('T24 start - a server needs a topic and a server name', async () => {
    for (const fields of [{ topic: null }, { server: null }, { server: '' }, { topic: '' }]) {
      const error = thrownBy(() => scene.server({ m() {} }, {}, fields))
      expect(error).toBeInstanceOf(InvalidTarget)
      expect(error).toMatchObject({
        message: expect.stringMatching(/topic|server name.*server: 'node1'.*(null|empty)/),
      })
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
    await fed.serve({ m() {} })
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

  it('S14 reply failures - a result that throws when it is looked at is a failure for the client', async () => {
    const result = {
      get then(): never {
        throw new RangeError('do not look')
      },
    }
    await scene.serve({ go: () => result })
    await expect(scene.client().call({}, 'go', {}, { timeoutMs: 2000 })).rejects.toMatchObject({
      message: expect.stringContaining('do not look') as string,
    })
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
    const { getNotificationTransport, loadConfig } = await import('../../../src/index.ts')
    await using bus = await getNotificationTransport(await loadConfig(), { url: 'memory://s17', logger: scene.log })
    void getRpcServer(bus, new Target({ topic: 't', server: 's' }), [{ m() {} }])
    expect(scene.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getRpcTransport') }])
  })

  it('D2 capability - a notify-only driver is refused when the server is built', async () => {
    const { getNotificationTransport, loadConfig } = await import('../../../src/index.ts')
    const { createMemoryDriver } = await import('../../../src/testing.ts')
    const memory = createMemoryDriver()
    const notifyOnly = { ...memory, name: 'kafka', capabilities: { ...memory.capabilities, rpc: false } }
    await using bus = await getNotificationTransport(await loadConfig(), {
      url: 'kafka://',
      registry: { resolve: async () => notifyOnly },
    })
    const error = thrownBy(() => getRpcServer(bus, new Target({ topic: 't', server: 's' }), [{ m() {} }]))
    expect(error).toBeInstanceOf(UnsupportedCapability)
  })
})
