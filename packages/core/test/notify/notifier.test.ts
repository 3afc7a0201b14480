import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BackpressureError, SerializationError } from '../../src/errors.ts'
import { recordedNotifications, resetRecordedNotifications } from '../../src/notify/drivers/test.ts'
import { Notifier, type NotifierOptions } from '../../src/notify/notifier.ts'
import { PRIORITIES } from '../../src/notify/priority.ts'
import type { Serializer } from '../../src/serializer/serializer.ts'
import { createFakeBus, watchChannel } from './fake-bus.ts'

const V2: NotifierOptions = { driver: 'messagingv2' }

describe('Notifier', () => {
  it('N1 Notifier - driver and topics override the options, retry and publisher are kept', async () => {
    const bus = await createFakeBus({ notifications: { driver: ['noop'] } })
    const notifier = new Notifier(bus.transport, { driver: 'messaging', topics: ['a'], publisherId: 'p', retry: 3 })
    await notifier.info({}, 'e', {})
    expect(bus.sent).toMatchObject([
      { target: { topic: 'a.info', exchange: null }, options: { version: '1.0', retries: 3 } },
    ])
    expect(bus.sent[0]?.notification.message.publisher_id).toBe('p')
  })

  it('N1 Notifier - takes driver, topics and retry from the options', async () => {
    const bus = await createFakeBus({ notifications: { driver: ['messagingv2'], topics: ['x'], retry: 2 } })
    await new Notifier(bus.transport).info({}, 'e', {})
    expect(bus.sent).toMatchObject([{ target: { topic: 'x.info' }, options: { version: '2.0', retries: 2 } }])
    expect(bus.sent[0]?.notification.message.publisher_id).toBeNull()
  })

  it.each(['two', 1.5, -2, NaN])('N1 Notifier - refuses retry %s', async (retry) => {
    const bus = await createFakeBus()
    expect(() => new Notifier(bus.transport, { retry: retry as number })).toThrow(TypeError)
  })

  it('without any driver warns once that notifications go nowhere', async () => {
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport)
    await notifier.prepare({ publisherId: 'p' }).info({}, 'e', {})
    expect(bus.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringMatching(/without a driver sends nothing: .* driver = messagingv2/)],
    ])
  })

  it('N2 priorities - each has its method, its topic and its word on the wire', async () => {
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport, V2)
    for (const priority of PRIORITIES) await notifier[priority]({}, 'e', priority)
    await notifier.warning({}, 'e', 'warning')
    expect(bus.sent.map(({ target, notification }) => [target.topic, notification.message.priority])).toEqual([
      ...PRIORITIES.map((priority) => [`notifications.${priority}`, priority.toUpperCase()]),
      ['notifications.warn', 'WARN'],
    ])
  })

  it('N2 message - has its fields in the order of the wire', async () => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { ...V2, publisherId: 'compute.host1' }).info({}, 'demo.event', { k: 'v' })
    const message = bus.sent[0]?.notification.message
    expect(Object.entries(message ?? {})).toEqual([
      ['message_id', expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)],
      ['publisher_id', 'compute.host1'],
      ['event_type', 'demo.event'],
      ['priority', 'INFO'],
      ['payload', { k: 'v' }],
      ['timestamp', '2026-11-22 17:30:01.005000'],
    ])
  })

  it('N2 timestamp - has no fraction when that is zero', async () => {
    const bus = await createFakeBus()
    await bus.clock.advance(995)
    await new Notifier(bus.transport, V2).info({}, 'e', {})
    expect(bus.sent[0]?.notification.message.timestamp).toBe('2026-11-22 17:30:02')
  })

  it('N3 topics - one copy for each, all with one message_id', async () => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { ...V2, topics: ['a', 'b', 'c'] }).error({}, 'e', {})
    expect(bus.sent.map(({ target }) => target.topic)).toEqual(['a.error', 'b.error', 'c.error'])
    expect(new Set(bus.sent.map(({ notification }) => notification.message.message_id)).size).toBe(1)
  })

  it('N5 no driver - notifications go nowhere', async () => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport).info({}, 'e', {})
    expect(bus.sent).toEqual([])
  })

  it('N6 prepare - another publisher or retry, the same drivers', async () => {
    const bus = await createFakeBus()
    let made = 0
    const counting = () => {
      made += 1
      return { notify() {} }
    }
    const notifier = new Notifier(bus.transport, {
      driver: ['messagingv2', 'counting'],
      drivers: { counting },
      publisherId: 'a',
      retry: 5,
    })
    await notifier.prepare({ publisherId: 'b' }).info({}, 'e', {})
    await notifier.prepare({ retry: 0 }).info({}, 'e', {})
    await notifier.prepare({ retry: -1 }).prepare({ publisherId: null }).info({}, 'e', {})
    expect(bus.sent.map(({ notification, options }) => [notification.message.publisher_id, options.retries])).toEqual([
      ['b', 5],
      ['a', 0],
      [null, null],
    ])
    expect(made).toBe(1)
  })

  const enabled: readonly [names: readonly string[], expected: boolean][] = [
    [['noop'], false],
    [['noop', 'noop'], false],
    [[], true],
    [['noop', 'log'], true],
    [['messaging'], true],
  ]
  it.each(enabled)('N8 isEnabled - of %j is %s', async (driver, expected) => {
    const bus = await createFakeBus()
    expect(new Notifier(bus.transport, { driver }).isEnabled()).toBe(expected)
  })

  it('N10 N11 formats - messaging sends 1.0, messagingv2 2.0', async () => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { driver: ['messaging', 'messagingv2'] }).info({}, 'e', {})
    expect(bus.sent.map(({ options }) => options.version)).toEqual(['1.0', '2.0'])
  })

  it('N13 noop - sends nothing', async () => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { driver: 'noop' }).info({}, 'e', {})
    expect([bus.sent, bus.lines]).toEqual([[], []])
  })

  it('N14 test - keeps context, message, priority and retry, until it is reset', async () => {
    resetRecordedNotifications()
    const bus = await createFakeBus()
    const eventType = `e.${randomUUID()}`
    await new Notifier(bus.transport, { driver: 'test', retry: 2 }).audit({ user_id: 'u' }, eventType, 'p')
    expect(recordedNotifications()).toMatchObject([
      { context: { user_id: 'u' }, message: { event_type: eventType, payload: 'p' }, priority: 'audit', retries: 2 },
    ])
    resetRecordedNotifications()
    expect(recordedNotifications()).toEqual([])
  })

  it('N18 RPC transport - only a warning', async () => {
    const bus = await createFakeBus({ kind: 'rpc' })
    const notifier = new Notifier(bus.transport, V2)
    await notifier.prepare({ publisherId: 'x' }).info({}, 'e', {})
    expect(bus.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getNotificationTransport') }])
    expect(bus.sent).toHaveLength(1)
  })

  it('N18 capability - a driver without notifications is refused while the notifier is made', async () => {
    const bus = await createFakeBus({ capabilities: { rpc: true }, kind: 'rpc' })
    expect(() => new Notifier(bus.transport, V2)).toThrow(
      expect.objectContaining({ code: 'OSLO_MESSAGING_UNSUPPORTED', capability: 'notifications' }),
    )
    expect(() => new Notifier(bus.transport, { driver: 'log' })).not.toThrow()
  })

  it('Z4 Z6 serializer - payload first with the unredacted context, then the redacted context', async () => {
    const bus = await createFakeBus()
    const calls: unknown[] = []
    const serializer: Serializer = {
      serializeEntity: async (ctxt, entity) => {
        calls.push(['entity', ctxt, entity])
        return `<${String(entity)}>`
      },
      serializeContext: async (ctxt) => {
        calls.push(['context', ctxt])
        return { ...ctxt, serialized: true }
      },
      deserializeEntity: (_ctxt, entity) => entity,
      deserializeContext: (ctxt) => ctxt,
    }
    await new Notifier(bus.transport, { ...V2, serializer }).info({ user_id: 'u', auth_token: 't' }, 'e', 'p')
    expect(calls).toEqual([
      ['entity', { user_id: 'u', auth_token: 't' }, 'p'],
      ['context', { user_id: 'u' }],
    ])
    expect(bus.sent).toMatchObject([
      { notification: { context: { user_id: 'u', serialized: true }, message: { payload: '<p>' } } },
    ])
  })

  it('Z4 serializer - its failure reaches the caller and nothing is sent', async () => {
    const bus = await createFakeBus()
    const failure = new SerializationError('no')
    const serializer: Serializer = {
      serializeEntity: () => {
        throw failure
      },
      serializeContext: () => ({}),
      deserializeEntity: (_ctxt, entity) => entity,
      deserializeContext: (ctxt) => ctxt,
    }
    await expect(new Notifier(bus.transport, { ...V2, serializer }).info({}, 'e', {})).rejects.toBe(failure)
    expect(bus.sent).toEqual([])
  })

  it('headers and diagnostics - headers go to the driver, each topic has its end', async () => {
    const bus = await createFakeBus()
    const ends = watchChannel('oslo-messaging:notify:end')
    const topic = randomUUID()
    const failure = new BackpressureError('full')
    bus.onSend = ({ target }) => (target.topic === `${topic}-b.info` ? Promise.reject(failure) : undefined)
    const notifier = new Notifier(bus.transport, { ...V2, topics: [`${topic}-a`, `${topic}-b`] })
    await expect(notifier.info({}, 'e', {}, { headers: { traceparent: '00-x' } })).rejects.toBe(failure)
    expect(bus.sent[0]?.notification.headers).toEqual({ traceparent: '00-x' })
    expect(ends.filter((end) => end.topic.startsWith(topic))).toEqual([
      { topic: `${topic}-a.info`, priority: 'info', eventType: 'e', durationMs: 0 },
      { topic: `${topic}-b.info`, priority: 'info', eventType: 'e', durationMs: 0, error: failure },
    ])
  })
})
