import {
  createDriverRegistry,
  type DriverDefinition,
  getBrokerAdmin,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { waitFor } from './wait-for.ts'

export interface SickPoolOptions {
  readonly driver: DriverDefinition
  readonly url: string
  readonly topic: string
  /** Returns the dead letter of the pool `sick` with the tool. */
  readonly redrive: () => Promise<unknown>
}

/** Two pools of one topic, of which `sick` fails at first, and what each has handled once its letter was returned.
 *  Nobody listens to either in the end. */
export async function sickPool({ driver, url, topic, redrive }: SickPoolOptions) {
  const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } } })
  const registry = createDriverRegistry({ drivers: [driver], discover: false })
  const bus = await getNotificationTransport(conf, { url, registry })
  const handled = { healthy: [] as unknown[], sick: [] as unknown[] }
  let isMended = false
  let failures = 0
  const listener = (pool: 'healthy' | 'sick') => {
    const info = (_ctxt: object, _publisher: unknown, _type: unknown, payload: unknown): void => {
      if (pool === 'sick' && !isMended) {
        failures += 1
        throw new RangeError('cannot digest this')
      }
      handled[pool].push(payload)
    }
    return getNotificationListener(bus, [new Target({ topic })], [{ info }], {
      pool,
      onFailure: { attempts: 1, then: 'dead-letter' },
    })
  }
  const [healthy, sick] = [listener('healthy'), listener('sick')]
  await healthy.start()
  await sick.start()
  const notifier = new Notifier(bus, { publisherId: 'p', topics: [topic] })
  await notifier.info({}, 'meal', 'one')
  await waitFor('the failure of one pool', () => failures === 1 && handled.healthy.length === 1)
  isMended = true
  await waitFor('a letter that is returned', async () => {
    await redrive()
    return handled.sick.length > 0
  })
  // What was returned came to one pool; a later one shows that nothing else is on its way.
  await notifier.info({}, 'meal', 'two')
  await waitFor('the next one', () => handled.sick.length > 1 && handled.healthy.length > 1)
  const admin = await getBrokerAdmin(conf, { url, registry })
  const whileRead = await admin.removePool('sick', { timeoutMs: 10_000 }).catch((error: Error) => error.message)
  await sick.stop()
  await sick.wait()
  await healthy.stop()
  await healthy.wait()
  await bus.close()
  return { handled, whileRead, admin }
}
