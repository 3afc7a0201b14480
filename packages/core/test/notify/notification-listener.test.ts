import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type NotificationEndpoint, NotificationResult } from '../../src/notify/endpoint.ts'
import { NotificationFilter } from '../../src/notify/filter.ts'
import { getNotificationListener } from '../../src/notify/notification-listener.ts'
import type { Serializer } from '../../src/serializer/serializer.ts'
import { Target } from '../../src/target.ts'
import { arriving, createFakeBus, type FakeBus, FULL, watchChannel } from './fake-bus.ts'

import { started, TARGET } from './listening.ts'

describe('notification listener', () => {
  it('L1 getNotificationListener - subscribes every target with every priority some endpoint has, with pool and requeue', async () => {
    const bus = await createFakeBus()
    const targets = [new Target({ topic: 'a' }), new Target({ topic: 'b', exchange: 'x' })]
    const endpoints = [{ info() {}, error() {} }, { info() {} }]
    const listener = getNotificationListener(bus.transport, targets, endpoints, {
      pool: 'p',
      allowRequeue: true,
      workers: 3,
    })
    await listener.start()
    const [{ sources, options }] = bus.subscriptions as [FakeBus['subscriptions'][number]]
    expect(sources.map(({ target, priority }) => [target.topic, target.exchange, priority])).toEqual([
      ['a', null, 'info'],
      ['a', null, 'error'],
      ['b', 'x', 'info'],
      ['b', 'x', 'error'],
    ])
    expect(options).toMatchObject({ pool: 'p', allowRequeue: true, prefetch: 6 })
  })

  it('L2 endpoint methods - get context, publisher, event type, payload, metadata and the delivery', async () => {
    const calls: unknown[] = []
    const { bus } = await started([{ info: (...notification) => void calls.push(notification) }])
    const facts = {
      context: { user_id: 'u' },
      redelivered: true,
      deliveryCount: 2,
      uniqueId: 'id',
      headers: { a: 'b' },
    }
    expect(await bus.deliver(arriving(), facts).settled).toBe('acknowledged')
    expect(calls).toEqual([
      [
        { user_id: 'u' },
        'compute.host1',
        'compute.instance.create.end',
        { state: 'active' },
        { message_id: '5d761f43-c9ce-448c-aa28-1a353d07a624', timestamp: '2026-01-01 10:00:00.000001' },
        { redelivered: true, deliveryCount: 2, uniqueId: 'id', headers: { a: 'b' } },
      ],
    ])
  })

  it('L2 endpoint methods - are called on their endpoint, inherited ones too', async () => {
    class Base {
      readonly seen: unknown[] = []
      info(_ctxt: object, _publisherId: string | null, _eventType: string | null, payload: unknown): void {
        this.seen.push(payload)
      }
    }
    class Endpoint extends Base {}
    const endpoint = new Endpoint()
    const { bus } = await started([endpoint])
    await bus.deliver(arriving({ payload: 1 })).settled
    expect(endpoint.seen).toEqual([1])
  })

  it('L2 endpoint methods - without any the listener is refused', async () => {
    const bus = await createFakeBus()
    const noMethods = { infos() {} } as NotificationEndpoint
    expect(() => getNotificationListener(bus.transport, [TARGET], [noMethods])).toThrow(/No endpoint has a method/)
    expect(() => getNotificationListener(bus.transport, [TARGET], [])).toThrow(TypeError)
  })

  it('L2 missing fields - arrive as null', async () => {
    const calls: unknown[] = []
    const { bus } = await started([{ info: (...notification) => void calls.push(notification) }])
    await bus.deliver({ priority: 'info' }).settled
    expect(calls).toEqual([[{}, null, null, null, { message_id: null, timestamp: null }, {}]])
  })

  it('L3 several endpoints - all with the method get it, in order, until one asks for requeue', async () => {
    const order: string[] = []
    const endpoint = (name: string, outcome: 'handled' | 'requeue' | null): NotificationEndpoint => ({
      info: async () => {
        order.push(name)
        return outcome
      },
    })
    const endpoints = [
      endpoint('a', 'handled'),
      { error: () => void order.push('other priority') },
      endpoint('b', null),
      endpoint('c', 'requeue'),
      endpoint('d', null),
    ]
    const { bus } = await started(endpoints, { allowRequeue: true })
    expect(await bus.deliver(arriving()).settled).toBe('requeued')
    expect(order).toEqual(['a', 'b', 'c'])
  })

  const outcomes: readonly [name: string, answer: () => unknown, allowed: string, notAllowed: string][] = [
    ['nothing', () => undefined, 'acknowledged', 'acknowledged'],
    ['null', () => null, 'acknowledged', 'acknowledged'],
    ['HANDLED', () => NotificationResult.HANDLED, 'acknowledged', 'acknowledged'],
    ['a promise of HANDLED', () => Promise.resolve('handled'), 'acknowledged', 'acknowledged'],
    ['REQUEUE', () => NotificationResult.REQUEUE, 'requeued', 'acknowledged'],
    ['a promise of REQUEUE', () => Promise.resolve('requeue'), 'requeued', 'acknowledged'],
    ['a rejection', () => Promise.reject(new Error('boom')), 'requeued', 'acknowledged'],
    [
      'an exception',
      () => {
        throw new Error('boom')
      },
      'requeued',
      'acknowledged',
    ],
  ]
  it.each(outcomes)('L4 L5 results - %s: with allowRequeue %s', async (_name, answer, allowed, notAllowed) => {
    const endpoint = { info: answer } as NotificationEndpoint
    const first = await started([endpoint], { allowRequeue: true })
    const second = await started([endpoint])
    expect(await first.bus.deliver(arriving()).settled).toBe(allowed)
    expect(await second.bus.deliver(arriving()).settled).toBe(notAllowed)
  })

  it('L4 exception - is logged and reported, without what the notification says', async () => {
    const topic = randomUUID()
    const reported = watchChannel('oslo-messaging:background-error')
    const failure = new Error('boom')
    const { bus } = await started([{ info: () => Promise.reject(failure) }], { topic })
    await bus.deliver(arriving({ payload: { password: 'hidden' } }), { context: { auth_token: 'hidden' } }).settled
    expect(bus.lines).toMatchObject([
      {
        level: 'error',
        message: expect.stringMatching(/failed, the notification is acknowledged: boom/),
        fields: { eventType: 'compute.instance.create.end', error: failure },
      },
    ])
    expect(reported).toContainEqual({ source: `notification listener ${topic}`, error: failure })
    expect(JSON.stringify([bus.lines, reported])).not.toContain('hidden')
  })

  it('L6 requeue support - without it allowRequeue is refused while the listener is made, with what to do', async () => {
    const bus = await createFakeBus({ capabilities: { ...FULL, requeue: false } })
    expect(() => getNotificationListener(bus.transport, [TARGET], [{ info() {} }], { allowRequeue: true })).toThrow(
      expect.objectContaining({
        code: 'OSLO_MESSAGING_UNSUPPORTED',
        capability: 'requeue',
        message: expect.stringContaining('retry inside the endpoint'),
      }),
    )
  })

  it('L7 filterRule - only matching notifications reach the endpoint, the others are acknowledged', async () => {
    const seen: unknown[] = []
    const filterRule = new NotificationFilter({ publisherId: 'compute', payload: { state: 'active' } })
    const { bus } = await started([{ filterRule, info: (...notification) => void seen.push(notification[2]) }])
    await bus.deliver(arriving({ event_type: 'a' })).settled
    expect(await bus.deliver(arriving({ event_type: 'b', payload: { state: 'error' } })).settled).toBe('acknowledged')
    await bus.deliver(arriving({ event_type: 'c', publisher_id: 'network' })).settled
    expect(seen).toEqual(['a'])
  })

  it('L7 filterRule - of another type is refused', async () => {
    const bus = await createFakeBus()
    const endpoint = { filterRule: Object({ publisherId: 'x' }) as NotificationFilter, info() {} }
    expect(() => getNotificationListener(bus.transport, [TARGET], [endpoint])).toThrow(
      /filterRule .* must be a NotificationFilter/,
    )
  })

  it('L8 filter on a payload that is not an object - is a failed handler, no crash', async () => {
    const endpoint = { filterRule: new NotificationFilter({ payload: { a: 'b' } }), info() {} }
    const first = await started([endpoint], { allowRequeue: true })
    const second = await started([endpoint])
    expect(await first.bus.deliver(arriving({ payload: 'text with a' })).settled).toBe('requeued')
    expect(await second.bus.deliver(arriving({ payload: 'text with a' })).settled).toBe('acknowledged')
    expect(second.bus.lines).toMatchObject([
      { level: 'error', message: expect.stringContaining('payload has no fields') },
    ])
  })

  it('L12 pools - without them a pool is refused while the listener is made, with what to do', async () => {
    const bus = await createFakeBus({ capabilities: { ...FULL, pools: false } })
    expect(() => getNotificationListener(bus.transport, [TARGET], [{ info() {} }], { pool: 'p' })).toThrow(
      expect.objectContaining({ capability: 'pools', message: expect.stringContaining('its own topic') }),
    )
  })

  it('Z4 serializer - context first, then the payload with the deserialized context', async () => {
    const calls: unknown[] = []
    const serializer: Serializer = {
      serializeEntity: (_ctxt, entity) => entity,
      serializeContext: () => ({}),
      deserializeContext: async (ctxt) => {
        calls.push(['context', ctxt])
        return new Map(Object.entries(ctxt))
      },
      deserializeEntity: async (ctxt, entity) => {
        calls.push(['entity', ctxt, entity])
        return 'read'
      },
    }
    const seen: unknown[] = []
    const { bus } = await started([{ info: (ctxt, _publisher, _event, payload) => void seen.push(ctxt, payload) }], {
      serializer,
    })
    await bus.deliver(arriving({ payload: 'p' }), { context: { a: 1 } }).settled
    const ctxt = new Map([['a', 1]])
    expect(calls).toEqual([
      ['context', { a: 1 }],
      ['entity', ctxt, 'p'],
    ])
    expect(seen).toEqual([ctxt, 'read'])
  })

  it('Z4 serializer - what it cannot read is acknowledged and reported', async () => {
    const serializer: Serializer = {
      serializeEntity: (_ctxt, entity) => entity,
      serializeContext: () => ({}),
      deserializeContext: (ctxt) => ctxt,
      deserializeEntity: () => Promise.reject(new Error('unknown type')),
    }
    const { bus } = await started([{ info: () => expect.fail('ran') }], { serializer, allowRequeue: true })
    expect(await bus.deliver(arriving()).settled).toBe('acknowledged')
    expect(bus.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('cannot be read') }])
  })

  it('T20 RPC transport - only a warning', async () => {
    const bus = await createFakeBus({ kind: 'rpc' })
    await started([{ info() {} }], {}, bus)
    expect(bus.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getNotificationTransport') }])
  })
})
