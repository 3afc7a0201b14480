import { describe, expect, it } from 'vitest'
import { BackpressureError, MessageDeliveryFailure } from '../../src/errors.ts'
import { Notifier, type NotifierOptions } from '../../src/notify/notifier.ts'
import { createFakeBus, watchChannel } from './fake-bus.ts'

const V2: NotifierOptions = { driver: 'messagingv2' }

describe('Notifier - whether it arrives', () => {
  it('N3 topics - a failing topic does not keep the others from theirs', async () => {
    const bus = await createFakeBus()
    bus.onSend = ({ target }) => {
      if (target.topic !== 'b.info') throw new MessageDeliveryFailure(`no ${target.topic}`)
    }
    const notifying = new Notifier(bus.transport, { ...V2, topics: ['a', 'b', 'c'] }).info({}, 'e', {})
    await expect(notifying).rejects.toThrow('no a.info')
    expect(bus.sent).toHaveLength(3)
    expect(bus.lines).toMatchObject([{ level: 'error', message: expect.stringContaining('no c.info') }])
  })

  it('N4 drivers - all configured ones get every notification, and a failing one rejects after the others had their turn', async () => {
    const bus = await createFakeBus()
    const order: string[] = []
    const failure = new MessageDeliveryFailure('broker is down')
    bus.onSend = () => {
      order.push('messaging')
      throw failure
    }
    const notifier = new Notifier(bus.transport, {
      driver: ['messaging', 'mine'],
      drivers: { mine: () => ({ notify: async () => void order.push('mine') }) },
    })
    await expect(notifier.info({}, 'e', {})).rejects.toBe(failure)
    expect(order.toSorted()).toEqual(['messaging', 'mine'])
  })

  it('N4 drivers - onError log never rejects, but logs and reports', async () => {
    const bus = await createFakeBus()
    const reported = watchChannel('oslo-messaging:background-error')
    const failure = new MessageDeliveryFailure('broker is down')
    bus.onSend = () => Promise.reject(failure)
    await new Notifier(bus.transport, { ...V2, onError: 'log' }).info({}, 'e', { password: 'hidden' })
    expect(bus.lines).toMatchObject([
      { level: 'error', message: 'Notification e could not be delivered: broker is down' },
    ])
    expect(reported).toContainEqual({ source: 'notifier', error: failure })
    expect(JSON.stringify(bus.lines)).not.toContain('hidden')
  })

  it('N4 drivers - a name nobody knows fails while the notifier is made', async () => {
    const bus = await createFakeBus()
    expect(() => new Notifier(bus.transport, { driver: 'mesaging' })).toThrow(
      expect.objectContaining({
        code: 'OSLO_MESSAGING_CONFIGURATION',
        message: expect.stringContaining('did you mean messaging?'),
      }),
    )
  })

  it('N7 retry - the failure after the last attempt reaches the caller', async () => {
    const bus = await createFakeBus()
    const failure = new MessageDeliveryFailure('gave up', { attempts: 2 })
    bus.onSend = ({ options }) => {
      expect(options.retries).toBe(1)
      throw failure
    }
    await expect(new Notifier(bus.transport, { ...V2, retry: 1 }).info({}, 'e', {})).rejects.toBe(failure)
  })

  it('N7 retry - without limit it still ends with the time', async () => {
    const bus = await createFakeBus()
    bus.onSend = ({ options: { deadline, retries } }) => {
      expect([retries, deadline.timeoutMs]).toEqual([null, 60_000])
      return deadline.race(new Promise<void>(() => {}), { phase: 'connect', delivery: 'not-sent' })
    }
    const notifying = new Notifier(bus.transport, V2).info({}, 'e', {})
    const outcome = expect(notifying).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
    await bus.clock.advance(60_000)
    await outcome
  })

  it('N7 time - the one of the notification counts, and null means none', async () => {
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport, { ...V2, timeoutMs: null })
    await notifier.info({}, 'e', {})
    await notifier.info({}, 'e', {}, { timeoutMs: 5 })
    expect(bus.sent.map(({ options }) => options.deadline.timeoutMs)).toEqual([null, 5])
  })

  it('N7 signal - ends the notification with its reason, even with onError log', async () => {
    const bus = await createFakeBus()
    bus.onSend = ({ options }) =>
      options.deadline.race(new Promise<void>(() => {}), { phase: 'connect', delivery: 'not-sent' })
    const notifier = new Notifier(bus.transport, { ...V2, onError: 'log' })
    const abort = new AbortController()
    const notifying = notifier.info({}, 'e', {}, { signal: abort.signal })
    const reason = new Error('not any more')
    abort.abort(reason)
    await expect(notifying).rejects.toBe(reason)
    await expect(notifier.info({}, 'e', {}, { signal: abort.signal })).rejects.toBe(reason)
    expect(bus.sent).toHaveLength(1)
  })

  it('N16 store - resolves only when every topic has its copy', async () => {
    const bus = await createFakeBus()
    const gates: (() => void)[] = []
    bus.onSend = () => new Promise<void>((resolve) => void gates.push(resolve))
    let resolved = false
    const notifying = new Notifier(bus.transport, { ...V2, topics: ['a', 'b'] }).info({}, 'e', {}).then(() => {
      resolved = true
    })
    await bus.clock.advance(0)
    gates[0]?.()
    await bus.clock.advance(0)
    expect([gates.length, resolved]).toEqual([2, false])
    gates[1]?.()
    await notifying
  })

  it('pressure - what the driver refuses reaches the caller as it is', async () => {
    const bus = await createFakeBus()
    const refusal = new BackpressureError('full')
    bus.onSend = () => Promise.reject(refusal)
    await expect(new Notifier(bus.transport, V2).info({}, 'e', {})).rejects.toBe(refusal)
  })
})
