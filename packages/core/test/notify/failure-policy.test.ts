import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type FailureAction,
  type FailurePolicy,
  getBatchNotificationListener,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  type MessageServer,
  type NotificationListenerOptions,
  Notifier,
  openBrokerAdmin,
  Target,
} from '../../src/index.ts'
import { createDriverRegistry } from '../../src/registry/driver-registry.ts'
import { createManualClock, createMemoryBroker, createMemoryDriver } from '../../src/testing.ts'
import { createLog } from '../rpc/scene.ts'

/** A bus with a clock that is moved by hand, and an endpoint that fails as long as `isBroken` says so. */
async function openScene(options: { readonly settings?: Record<string, string | number> } = {}) {
  const clock = createManualClock()
  const log = createLog()
  const broker = createMemoryBroker()
  const registry = createDriverRegistry({ drivers: [createMemoryDriver({ broker })], discover: false })
  const conf = await loadConfig({ overrides: { oslo_messaging_nodejs: options.settings ?? {} } })
  const transport = await getNotificationTransport(conf, { url: 'memory://', registry, clock, logger: log })
  onTestFinished(async () => {
    await Promise.all([transport.close({ timeoutMs: null }), clock.advance(0)])
  })
  const topic = `t${randomUUID().slice(0, 8)}`
  const notifier = new Notifier(transport, { driver: 'messagingv2', topics: [topic], timeoutMs: null })
  const scene = {
    clock,
    log,
    broker,
    transport,
    /** Payloads that reached the endpoint, in order, failed ones too. */
    handled: [] as unknown[],
    isBroken: (_payload: unknown): boolean => true,
    send: async (...payloads: unknown[]): Promise<void> => {
      for (const payload of payloads) await notifier.info({}, 'e', payload)
      await clock.advance(0)
    },
    listen: async (
      onFailure?: FailurePolicy | FailureAction,
      more: NotificationListenerOptions = {},
    ): Promise<MessageServer> => {
      const endpoint = {
        info: (_ctxt: object, _publisher: string | null, _type: string | null, payload: unknown): void => {
          scene.handled.push(payload)
          if (scene.isBroken(payload)) throw new Error(`cannot handle ${String(payload)}`)
        },
      }
      const own = onFailure === undefined ? more : { ...more, onFailure }
      const listener = getNotificationListener(transport, [new Target({ topic })], [endpoint], own)
      await listener.start()
      return listener
    },
    /** Texts of the dead letters' payloads with the headers that tell of the burial. */
    letters: () =>
      broker.deadLetters().flatMap(({ queue, letters }) =>
        letters.map(({ text, headers }) => ({
          queue: queue.name,
          payload: (JSON.parse(text) as { message: { payload: unknown } }).message.payload,
          headers,
        })),
      ),
    topic,
    admin: () => openBrokerAdmin(conf, { url: 'memory://', registry }),
  }
  return scene
}

/** So that nothing runs beside the message that makes it pause. */
const ONE_WORKER = { workers: 1 }

describe('failure policy of notifications', () => {
  it('oslo behaviour unless told otherwise - a failed notification is acknowledged and told', async () => {
    const scene = await openScene()
    await scene.listen()
    await scene.send('a', 'b')
    expect(scene.handled).toEqual(['a', 'b'])
    await scene.clock.advance(120_000)
    expect(scene.handled).toEqual(['a', 'b'])
    expect(scene.log.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  it('dead-letter - after three attempts with growing waits it is kept with the reason, and redrive returns it as it was', async () => {
    const scene = await openScene()
    await scene.listen({ attempts: 3, backoff: { initialMs: 100 }, then: 'dead-letter' })
    await scene.send('a')
    expect(scene.handled).toHaveLength(1)
    await scene.clock.advance(99)
    expect(scene.handled).toHaveLength(1)
    await scene.clock.advance(1)
    expect(scene.handled).toHaveLength(2)
    await scene.clock.advance(200)
    expect(scene.handled).toHaveLength(3)
    expect(scene.letters()).toMatchObject([
      {
        payload: 'a',
        headers: {
          'x-oslo-attempts': '3',
          'x-oslo-reason': 'Error: cannot handle a',
          'x-oslo-origin': `${scene.topic}.info`,
        },
      },
    ])
    scene.isBroken = () => false
    await using admin = await scene.admin()
    expect(await admin.redrive(`${scene.topic}.info`)).toEqual({ moved: 1, left: 0, skipped: [] })
    await scene.clock.advance(0)
    expect(scene.handled).toHaveLength(4)
    expect(scene.letters()).toEqual([])
  })

  it('a failing notification keeps no worker while it waits - others go on', async () => {
    const scene = await openScene()
    scene.isBroken = (payload) => payload === 'bad'
    await scene.listen({ attempts: 5, backoff: 10_000, then: 'discard' }, { workers: 1 })
    await scene.send('bad', 'good')
    expect(scene.handled).toEqual(['bad', 'good'])
  })

  it('retryIf - a failure that cannot mend itself is not tried again', async () => {
    const scene = await openScene()
    await scene.listen({ attempts: 5, backoff: 10, retryIf: () => false, then: 'dead-letter' })
    await scene.send('a')
    expect(scene.handled).toEqual(['a'])
    expect(scene.letters()).toMatchObject([{ headers: { 'x-oslo-attempts': '1' } }])
  })

  it('an error text of a megabyte is cut, and the letter is kept', async () => {
    const scene = await openScene()
    await scene.listen({ then: 'dead-letter' })
    const endpointError = 'ü'.repeat(1_000_000)
    scene.isBroken = () => {
      throw new Error(endpointError)
    }
    await scene.send('a')
    const [letter] = scene.letters()
    for (const text of Object.values(letter?.headers ?? {})) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096)
    expect(letter?.headers?.['x-oslo-reason']).toMatch(/^Error: ü+\.\.\.$/)
  })

  it('requeue - a notification that always fails comes back ever more slowly instead of 43,000 times in 300 ms', async () => {
    const scene = await openScene()
    await scene.listen(undefined, { allowRequeue: true })
    await scene.send('poison')
    await scene.clock.advance(300)
    expect(scene.handled).toHaveLength(2)
    await scene.clock.advance(60_000)
    expect(scene.handled.length).toBeGreaterThan(4)
    expect(scene.handled.length).toBeLessThan(12)
  })

  it('stop - the notification goes back, and the listener ends with the error', async () => {
    const scene = await openScene()
    const listener = await scene.listen('stop')
    await Promise.all([expect(listener.closed).rejects.toThrow('cannot handle a'), scene.send('a', 'b', 'c')])
    const before = scene.handled.length
    scene.isBroken = () => false
    await scene.listen()
    await scene.clock.advance(0)
    expect(scene.handled.slice(before)).toContain('a')
  })

  it('stopping hands back what waits for another attempt', async () => {
    const scene = await openScene()
    const listener = await scene.listen({ attempts: 9, backoff: 60_000, then: 'discard' })
    await scene.send('a')
    await listener.stop()
    await listener.wait()
    scene.isBroken = () => false
    await scene.listen()
    await scene.clock.advance(0)
    expect(scene.handled).toEqual(['a', 'a'])
  })

  it('pause - half of the last four failed: health says so, one is tried after a while, and all go on when it passes', async () => {
    const scene = await openScene()
    await scene.listen(
      { then: 'pause', backoff: 1000, pause: { share: 0.5, window: 4, retryAfterMs: 5000 } },
      ONE_WORKER,
    )
    await scene.send('a', 'b', 'c', 'd')
    expect(scene.handled).toEqual(['a', 'b'])
    expect(scene.transport.health()).toMatchObject({
      status: 'degraded',
      components: expect.arrayContaining([
        expect.objectContaining({ state: 'paused', reason: expect.stringContaining('cannot handle b') }),
      ]),
    })
    await scene.clock.advance(5000)
    expect(scene.handled).toHaveLength(3)
    expect(scene.transport.health().status).toBe('degraded')
    scene.isBroken = () => false
    await scene.clock.advance(5000)
    expect(new Set(scene.handled)).toEqual(new Set(['a', 'b', 'c', 'd']))
    expect(scene.transport.health().status).toBe('ok')
    await scene.send('e')
    expect(scene.handled.at(-1)).toBe('e')
  })

  it('pause - a paused listener that is stopped hands back what waits, and loses nothing', async () => {
    const scene = await openScene()
    const listener = await scene.listen(
      { then: 'pause', pause: { share: 1, window: 1, retryAfterMs: 1_000_000 } },
      ONE_WORKER,
    )
    await scene.send('a', 'b', 'c')
    expect(scene.handled).toEqual(['a'])
    await listener.stop()
    await listener.wait()
    expect(scene.transport.health().status).not.toBe('degraded')
    scene.isBroken = () => false
    await scene.listen()
    await scene.clock.advance(0)
    expect(scene.handled.slice(1)).toEqual(['a', 'b', 'c'])
  })

  it('the same policy from service.conf', async () => {
    const scene = await openScene({
      settings: {
        notification_failure_action: 'dead-letter',
        notification_failure_attempts: 2,
        notification_failure_backoff: 0.1,
      },
    })
    await scene.listen()
    await scene.send('a')
    await scene.clock.advance(100)
    expect(scene.handled).toEqual(['a', 'a'])
    expect(scene.letters()).toMatchObject([{ headers: { 'x-oslo-attempts': '2' } }])
  })

  it('a batch - each message counts its own attempts, and those of a failed part come again', async () => {
    const scene = await openScene()
    const sizes: number[] = []
    const endpoint = {
      info(batch: readonly unknown[]): void {
        sizes.push(batch.length)
        throw new Error('no')
      },
    }
    const policy = { attempts: 2, backoff: 100, then: 'dead-letter' } as const
    const options = { batchSize: 2, batchTimeoutMs: 10, onFailure: policy }
    await getBatchNotificationListener(
      scene.transport,
      [new Target({ topic: scene.topic })],
      [endpoint],
      options,
    ).start()
    await scene.send('a', 'b')
    await scene.clock.advance(100)
    expect(sizes).toEqual([2, 2])
    expect(scene.letters().map(({ payload }) => payload)).toEqual(['a', 'b'])
  })

  const wrong: readonly [field: string, policy: unknown][] = [
    ['onFailure.then', { then: 'dead' }],
    ['onFailure.attempts', { attempts: 0 }],
    ['onFailure.backoff.initialMs', { backoff: -1 }],
    ['onFailure.backoff.factor', { backoff: { initialMs: 1, factor: 0 } }],
    ['onFailure.retryIf', { retryIf: true }],
    ['onFailure.pause.share', { pause: { share: 2 } }],
    ['onFailure.pause.window', { pause: { window: 0 } }],
    ['onFailure has no option attemps; did you mean attempts?', { attemps: 3 }],
  ]
  it.each(wrong)('a policy that cannot be used names the field - %s', async (field, policy) => {
    const scene = await openScene()
    await expect(scene.listen(policy as FailurePolicy)).rejects.toThrow(field)
  })
})
