import {
  createDriverRegistry,
  type DriverDefinition,
  type FailurePolicy,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { expect } from 'vitest'
import { waitFor } from './wait-for.ts'

export interface PoisonOptions {
  readonly driver: DriverDefinition
  readonly url: string
  readonly topic: string
  readonly maxAttempts: number
  readonly onFailure?: FailurePolicy
  /** Resolves true once the dead letter can be seen. */
  readonly isBuried: () => Promise<boolean>
  /** Looks at the dead letter, then returns it with the tool. */
  readonly redrive: () => Promise<void>
}

/** A service whose endpoint cannot digest one notification: it is tried so often and no more, the next one is handled
 *  within a second, and once the endpoint is mended the redriven one is handled. */
export async function buryAndRedrive(options: PoisonOptions): Promise<void> {
  const { driver, url, topic, maxAttempts } = options
  const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } } })
  const registry = createDriverRegistry({ drivers: [driver], discover: false })
  const bus = await getNotificationTransport(conf, { url, registry })
  const notifier = new Notifier(bus, { publisherId: 'p', topics: [topic] })
  const tries: string[] = []
  const handled: unknown[] = []
  let isMended = false
  const endpoint = {
    info: (ctxt: object, _publisher: unknown, eventType: string, payload: unknown) => {
      if (payload !== 'poison' || isMended) return void handled.push({ ctxt, eventType, payload })
      tries.push(eventType)
      throw new RangeError('cannot digest this')
    },
  }
  const listener = getNotificationListener(
    bus,
    [new Target({ topic })],
    [endpoint],
    options.onFailure === undefined ? {} : { onFailure: options.onFailure },
  )
  await listener.start()
  const takes = async (payload: string): Promise<number> => {
    const before = handled.length
    const sentAt = performance.now()
    await notifier.info({}, 'meal', payload)
    await waitFor(payload, () => handled.length > before)
    return performance.now() - sentAt
  }
  const firstMs = await takes('the first one')
  await notifier.info({ user: 'u' }, 'meal', 'poison')
  // A second, and what this machine needs for anything at all.
  expect(await takes('the next one')).toBeLessThan(1000 + 10 * firstMs)
  await waitFor('the dead letter', options.isBuried)
  expect(tries).toHaveLength(maxAttempts)

  isMended = true
  await options.redrive()
  await waitFor('the redriven one', () => handled.length === 3)
  expect(handled[2]).toEqual({
    ctxt: expect.objectContaining({ user: 'u' }) as object,
    eventType: 'meal',
    payload: 'poison',
  })
  expect(tries).toHaveLength(maxAttempts)
  await listener.stop()
  await listener.wait()
  await bus.close()
}
