import { describe, expect, it } from 'vitest'
import { ClosedError, type RPCCall } from '../../src/index.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { createScene, rejection, turn } from '../rpc/scene.ts'

describe('D13 drain', () => {
  it('close - handlers finish, may call others meanwhile, and their replies arrive', async () => {
    await using scene = await createScene()
    const release = createDeferred<void>()
    const began = createDeferred<void>()
    await scene.serve({ helper: () => 'help' }, {}, { topic: `${scene.topic}2` })
    await scene.serve({
      go: async () => {
        began.resolve()
        await release.promise
        return await scene
          .client({}, { topic: `${scene.topic}3` })
          .cast({}, 'helper')
          .then(() => 'done')
      },
    })
    const call = scene.client().call({}, 'go')
    await began.promise
    const closing = scene.transport.close()
    await turn()
    expect(scene.transport.health().status).toBe('draining')
    release.resolve()
    expect(await call).toBe('done')
    expect(await closing).toEqual({ abandoned: 0 })
  })

  it.each([
    ['timeoutMs', () => ({ timeoutMs: 10 })],
    ['signal', () => ({ timeoutMs: null, signal: AbortSignal.timeout(10) })],
  ])('close - %s ends the patience, and what was left is reported', async (_, options) => {
    await using scene = await createScene()
    const began = createDeferred<void>()
    await scene.serve({
      stuck: () => {
        began.resolve()
        return new Promise(() => {})
      },
    })
    const call = rejection(scene.client().call({}, 'stuck'))
    await began.promise
    expect(await scene.transport.close(options())).toEqual({ abandoned: 1 })
    expect(await call).toBeInstanceOf(ClosedError)
    expect(scene.log.lines).toMatchObject([{ level: 'warn', fields: { abandoned: 1 } }])
  })

  it('close - a method that looks at its signal is told when the patience is over', async () => {
    await using scene = await createScene()
    const began = createDeferred<void>()
    const told = createDeferred<unknown>()
    await scene.serve({
      careful: (_context: object, _args: object, { signal }: RPCCall) => {
        signal.addEventListener('abort', () => told.resolve(signal.reason))
        began.resolve()
        return new Promise(() => {})
      },
    })
    const call = rejection(scene.client().call({}, 'careful'))
    await began.promise
    await scene.transport.close({ timeoutMs: 5 })
    expect(await told.promise).toBeInstanceOf(ClosedError)
    await call
  })

  it('close - the shortest patience of several callers counts', async () => {
    await using scene = await createScene()
    const began = createDeferred<void>()
    await scene.serve({
      stuck: () => {
        began.resolve()
        return new Promise(() => {})
      },
    })
    const call = rejection(scene.client().call({}, 'stuck'))
    await began.promise
    const patient = scene.transport.close({ timeoutMs: null })
    await scene.transport.close({ timeoutMs: 5 })
    expect(await patient).toEqual({ abandoned: 1 })
    await call
  })

  it('close - no new server meanwhile', async () => {
    await using scene = await createScene()
    const release = createDeferred<void>()
    const began = createDeferred<void>()
    await scene.serve({ go: () => (began.resolve(), release.promise) })
    const call = scene.client().call({}, 'go')
    await began.promise
    const closing = scene.transport.close()
    expect(await rejection(scene.server({ m() {} }, {}, { server: 'other' }).start())).toBeInstanceOf(ClosedError)
    release.resolve()
    await Promise.all([call, closing])
  })

  it('close - a server that comes up meanwhile takes no new request and is drained as well', async () => {
    const mayListen = createDeferred<void>()
    const isListening = createDeferred<void>()
    let slow = false
    await using scene = await createScene({
      driver: (definition) => ({
        ...definition,
        open: async (url, context) => {
          const driver = await definition.open(url, context)
          const listen = driver.listen.bind(driver)
          driver.listen = async (target, options) => {
            if (slow) {
              isListening.resolve()
              await mayListen.promise
            }
            return await listen(target, options)
          }
          return driver
        },
      }),
    })
    const release = createDeferred<void>()
    const began = createDeferred<void>()
    await scene.serve({ hold: () => (began.resolve(), release.promise) })
    const held = scene.client().call({}, 'hold')
    await began.promise
    slow = true
    const taken: string[] = []
    const late = scene.server({ go: () => void taken.push('go') }, {}, { server: 'late' }).start()
    await isListening.promise
    const closing = scene.transport.close()
    mayListen.resolve()
    await late
    await turn()
    await scene.client({}, { server: 'late' }).cast({}, 'go')
    await turn()
    expect(taken).toEqual([])
    release.resolve()
    await held
    expect(await closing).toEqual({ abandoned: 0 })
    expect(taken).toEqual([])
  })

  it('flush - waits for what was sent before, however it ends, and for nothing that is sent meanwhile', async () => {
    await using scene = await createScene()
    const gates = [createDeferred<void>(), createDeferred<void>()]
    const began = createDeferred<void>()
    await scene.serve({
      hold: async (_context: object, { n }: { n: number }) => {
        if (n === 1) began.resolve()
        await gates[n]?.promise
        if (n === 0) throw new Error('no')
      },
    })
    const first = rejection(scene.client().call({}, 'hold', { n: 0 }))
    let flushed: number | undefined
    const flush = scene.transport.flush().then((left) => (flushed = left))
    const second = scene.client().call({}, 'hold', { n: 1 })
    await began.promise
    expect(flushed).toBeUndefined()
    gates[0]?.resolve()
    await first
    expect(await flush).toBe(0)
    expect(await scene.transport.flush({ timeoutMs: 10 })).toBe(1)
    expect(await scene.transport.flush({ timeoutMs: null, signal: AbortSignal.abort() })).toBe(1)
    gates[1]?.resolve()
    await second
    expect(await scene.transport.flush()).toBe(0)
    expect(await rejection(scene.transport.flush({ timeoutMs: -1 }))).toBeInstanceOf(TypeError)
  })
})
