import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/diagnostics/logger.ts'
import type { Listener } from '../../src/driver/driver.ts'
import { ClosedError, ServerListenError, TaskTimeout, TransportDriverError } from '../../src/errors.ts'
import { MessageServer, type MessageServerOptions } from '../../src/server/message-server.ts'
import type { WorkerPool } from '../../src/server/worker-pool.ts'
import { systemClock } from '../../src/util/clock.ts'
import { createManualClock } from '../../src/testing.ts'
import { createDeferred, type Deferred } from '../../src/util/deferred.ts'

/** A server over a listener that writes down what is done to it. */
function scene(options: Partial<MessageServerOptions> = {}) {
  const log: string[] = []
  const pools: WorkerPool[] = []
  const listeners: Deferred<void>[] = []
  const server = new MessageServer({
    name: '<Target topic=t>',
    workers: 2,
    logger: silentLogger,
    clock: systemClock,
    listen: async (pool) => {
      log.push('listen')
      pools.push(pool)
      const closed = createDeferred<void>()
      closed.promise.catch(() => {})
      listeners.push(closed)
      const listener: Listener = {
        closed: closed.promise,
        stop: async () => void log.push('stop'),
        close: async () => void log.push('close'),
      }
      return listener
    },
    ...options,
  })
  return { server, log, pools, listeners }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('MessageServer', () => {
  it('S3 start - a second start without a stop listens once', async () => {
    const { server, log } = scene()
    await Promise.all([server.start(), server.start()])
    await server.start()
    expect(log).toEqual(['listen'])
    await server[Symbol.asyncDispose]()
  })

  it('S3 start - overridePoolSize replaces the number of workers', async () => {
    const { server, pools } = scene()
    await server.start({ overridePoolSize: 7 })
    expect(pools[0]?.size).toBe(7)
    await server[Symbol.asyncDispose]()
    await expect(server.start({ overridePoolSize: 0 })).rejects.toThrow(TypeError)
  })

  it('S3 start - a driver error becomes ServerListenError and start can be tried again', async () => {
    let failing = true
    const { server } = scene({
      listen: async () => {
        if (failing) throw new TransportDriverError('connection refused', { retryable: true })
        return { closed: new Promise(() => {}), stop: async () => {}, close: async () => {} }
      },
    })
    const error = await server.start().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ServerListenError)
    expect(error).toMatchObject({
      retryable: true,
      cause: { message: 'connection refused' },
      target: '<Target topic=t>',
    })
    failing = false
    await server.start()
    await server[Symbol.asyncDispose]()
  })

  it('S4 stop - no message arrives afterwards, running ones go on, waiting ones are handed back', async () => {
    const { server, log, pools } = scene({ workers: 1 })
    await server.start()
    const running = createDeferred<void>()
    pools[0]?.run(() => running.promise)
    pools[0]?.run(
      () => void log.push('must not run'),
      undefined,
      () => void log.push('handed back'),
    )
    await server.stop()
    expect(log).toEqual(['listen', 'stop', 'handed back'])
    running.resolve()
    await server.wait()
    expect(log).toEqual(['listen', 'stop', 'handed back', 'close'])
  })

  it('S5 wait - resolves when running tasks are done and the listener is closed', async () => {
    const { server, log, pools } = scene()
    await server.start()
    const running = createDeferred<void>()
    pools[0]?.run(() => running.promise)
    await server.stop()
    let waited = false
    const waiting = server.wait().then(() => (waited = true))
    await turn()
    expect(waited).toBe(false)
    running.resolve()
    await waiting
    expect(log.at(-1)).toBe('close')
    await server.closed
  })

  it('S6 order - wait, stop and start called in reverse still run in order, once each', async () => {
    const { server, log } = scene()
    await Promise.all([server.wait(), server.wait(), server.stop(), server.stop(), server.start()])
    expect(log).toEqual(['listen', 'stop', 'close'])
  })

  it('S6 order - start after stop begins a new cycle', async () => {
    const { server, log } = scene()
    for (let round = 0; round < 3; round += 1) {
      await server.start()
      await server.stop()
      await server.wait()
    }
    expect(log).toEqual(['listen', 'stop', 'close', 'listen', 'stop', 'close', 'listen', 'stop', 'close'])
  })

  it('S6 order - a new cycle releases the subscription of one nobody waited for', async () => {
    const { server, log } = scene()
    await server.start()
    await server.stop()
    await server.start()
    await turn()
    expect(log).toEqual(['listen', 'stop', 'listen', 'close'])
    await server[Symbol.asyncDispose]()
  })

  it('S6 order - stop without a start does not wait for ever (WIRE 10.17)', async () => {
    const { server, log } = scene()
    await server.stop()
    await server.wait()
    await server[Symbol.asyncDispose]()
    expect(log).toEqual([])
    await server.start()
    expect(log).toEqual(['listen'])
    await server[Symbol.asyncDispose]()
  })

  it('S6 order - stop waits for a start under way', async () => {
    const listening = createDeferred<Listener>()
    const log: string[] = []
    const { server } = scene({ listen: () => listening.promise })
    const started = server.start()
    const stopped = server.stop().then(() => log.push('stopped'))
    await turn()
    expect(log).toEqual([])
    listening.resolve({
      closed: new Promise(() => {}),
      stop: async () => void log.push('stop'),
      close: async () => {},
    })
    await Promise.all([started, stopped])
    expect(log).toEqual(['stop', 'stopped'])
    await server.wait()
  })

  it('S7 waiting too long - wait rejects with TaskTimeout and warns once', async () => {
    const warnings: string[] = []
    const { server, pools } = scene({ logger: { ...silentLogger, warn: (message) => void warnings.push(message) } })
    await server.start()
    const running = createDeferred<void>()
    pools[0]?.run(() => running.promise)
    await server.stop()
    await expect(server.wait({ logAfterMs: 5, timeoutMs: 30 })).rejects.toThrow(TaskTimeout)
    expect(warnings).toEqual(['wait of <Target topic=t> takes longer than 5 ms'])
    running.resolve()
    await server.wait({ timeoutMs: 5000 })
  })

  it('S7 waiting too long - logAfterMs 0 never warns', async () => {
    const warnings: string[] = []
    const { server } = scene({ logger: { ...silentLogger, warn: (message) => void warnings.push(message) } })
    await server.start()
    await expect(server.wait({ logAfterMs: 0, timeoutMs: 20 })).rejects.toThrow(TaskTimeout)
    expect(warnings).toEqual([])
    await server[Symbol.asyncDispose]()
  })

  it('S8 reset - is callable and changes nothing', async () => {
    const { server, log } = scene()
    server.reset()
    await server.start()
    server.reset()
    expect(log).toEqual(['listen'])
    await server[Symbol.asyncDispose]()
  })

  it('closed - rejects with the reason when the subscription is lost for good', async () => {
    const { server, listeners } = scene()
    await server.start()
    const lost = new TransportDriverError('access revoked')
    listeners[0]?.reject(lost)
    await expect(server.closed).rejects.toBe(lost)
    await server[Symbol.asyncDispose]()
  })

  it('start - listens again on a server that was lost for good, and releases what was lost', async () => {
    const { server, log, listeners } = scene()
    await server.start()
    listeners[0]?.reject(new TransportDriverError('access revoked'))
    await expect(server.closed).rejects.toThrow('access revoked')
    await server.start()
    expect(log.filter((line) => line === 'listen')).toHaveLength(2)
    await turn()
    expect(log).toContain('close')
    await server[Symbol.asyncDispose]()
    await server.closed
  })

  it('start - can be tried again after a signal has ended it', async () => {
    let isUp = false
    const { server } = scene({
      listen: async (_pool, deadline) => {
        if (!isUp) await deadline.race(new Promise(() => {}), { phase: 'connect', delivery: 'not-sent' })
        deadline.check({ phase: 'declare', delivery: 'not-sent' })
        return { closed: new Promise(() => {}), stop: async () => {}, close: async () => {} }
      },
    })
    const reason = new Error('enough')
    await expect(server.start({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    isUp = true
    await server.start()
    await server[Symbol.asyncDispose]()
  })

  it('stop - ends a start that does not come to an end within a second, which then rejects', async () => {
    const clock = createManualClock()
    const { server } = scene({
      clock,
      listen: async (_pool, deadline) =>
        await deadline.race(new Promise<Listener>(() => {}), { phase: 'connect', delivery: 'not-sent' }),
    })
    const started = server.start({ timeoutMs: null }).catch((error: unknown) => error)
    const stopped = server.stop()
    await clock.advance(1000)
    await stopped
    expect(await started).toBeInstanceOf(ClosedError)
    await server.wait()
  })

  it.each(['stop', 'wait'] as const)('%s - a signal ends the waiting with its reason', async (step) => {
    const { server, pools } = scene()
    await server.start()
    const running = createDeferred<void>()
    pools[0]?.run(() => running.promise)
    const ended = step === 'stop' ? server.wait() : server.stop().then(() => server.wait())
    const reason = new Error('SIGTERM')
    await expect(server[step]({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const waiting = server.wait({ signal: controller.signal })
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    running.resolve()
    await server.stop()
    await ended
  })

  it('await using - is bounded although a handler hangs: it is told, and the subscription is released', async () => {
    const clock = createManualClock()
    const warnings: string[] = []
    const told: unknown[] = []
    const { server, log, pools } = scene({
      clock,
      logger: { ...silentLogger, warn: (message) => void warnings.push(message) },
      onAbandon: (reason) => void told.push(reason),
    })
    await server.start()
    pools[0]?.run(() => new Promise<void>(() => {}))
    let disposed = false
    const disposing = server[Symbol.asyncDispose]().then(() => (disposed = true))
    await turn()
    await clock.advance(29_000)
    expect(disposed).toBe(false)
    await clock.advance(1_000)
    await disposing
    expect(told).toEqual([expect.any(ClosedError)])
    expect(log.at(-1)).toBe('close')
    expect(warnings).toContain(
      '1 messages of <Target topic=t> were still being handled after 30000 ms: they are abandoned',
    )
  })

  it('renew - what arrived over a renewal that was undone is counted and waited for', async () => {
    const { server, log, pools } = scene()
    await server.start()
    const renewal = await server.renew()
    const running = createDeferred<void>()
    pools[1]?.run(() => running.promise)
    renewal?.undo()
    expect(server.unfinished).toBe(1)
    await server.stop()
    let isDone = false
    const waited = server.wait().then(() => (isDone = true))
    await turn()
    expect(isDone).toBe(false)
    running.resolve()
    await waited
    expect(log.filter((line) => line === 'close')).toHaveLength(2)
    expect(server.unfinished).toBe(0)
  })

  it('constructor - refuses a number of workers that is none', () => {
    expect(() => scene({ workers: 0 })).toThrow(TypeError)
  })
})
