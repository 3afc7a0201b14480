import {
  createDriverRegistry,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
  type Logger,
} from '@oslo-messaging/core'
import { amqpDriver } from '@oslo-messaging/amqp'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'

/** Transports over AMQP 1.0 with addresses that can be computed, and casts that wait for the broker's outcome. */
export async function openBuses(url: string, logger: Logger): Promise<Buses> {
  const conf = await loadConfig({
    overrides: { oslo_messaging_amqp: { addressing_mode: 'legacy', idle_timeout: 10, pre_settled: ['rpc-reply'] } },
  })
  const options = { url, registry: createDriverRegistry({ drivers: [amqpDriver] }), logger, program: 'certify' }
  return { rpc: await getRpcTransport(conf, options), notifications: await getNotificationTransport(conf, options) }
}

/** The name of a topic's address, which on RabbitMQ is that of its queue and of its exchange. */
export function addressOf(topic: TestedTopic): string {
  return `unicast.openstack.${placeOf(topic)}`
}

/** Requests are not durable and are accepted before they are handled; notifications are durable, and accepted after.
 *  `repeats`: whether the broker says of what it delivers again that it does. */
export function promisesOf(topic: TestedTopic, repeats: ReaderPromises['repeats']): ReaderPromises {
  const places = [placeOf(topic)]
  return topic.way === 'notification'
    ? { places, delivery: 'at-least-once', repeats, ordered: topic.members === 1, settles: true }
    : { places, delivery: 'best-effort', repeats, ordered: false, settles: false }
}
