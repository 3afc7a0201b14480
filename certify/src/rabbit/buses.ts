import {
  createDriverRegistry,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
  type Logger,
} from '@oslo-messaging/core'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import type { Mirror } from '../queues/room.ts'
import { numberOf } from '../queues/number-of.ts'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'
import type { PlainClient } from './plain-client.ts'
import { TOPICS } from './topics.ts'

const EXCHANGE = 'openstack'
/** The queue with the copies. */
export const MIRROR = 'certify.mirror'
/** Requests have no copies: a second queue that takes a request, or refuses it, would change what a nack means for
 *  the first. */
const MIRRORED = TOPICS.filter(({ way }) => way === 'notification')

/** Transports over durable queues, or over quorum queues, and one whose fanouts go over streams. */
export async function openBuses(url: string, quorum: boolean, logger: Logger): Promise<Buses> {
  const shared = {
    amqp_durable_queues: !quorum,
    rabbit_quorum_queue: quorum,
    heartbeat_timeout_threshold: 10,
    kombu_reconnect_delay: 0.5,
  }
  const streams = { rabbit_stream_fanout: true, rabbit_transient_quorum_queue: true, rabbit_qos_prefetch_count: 32 }
  const options = { url, registry: createDriverRegistry({ drivers: [rabbitDriver] }), logger, program: 'certify' }
  const conf = await loadConfig({ overrides: { oslo_messaging_rabbit: shared } })
  const streamConf = await loadConfig({ overrides: { oslo_messaging_rabbit: { ...shared, ...streams } } })
  return {
    rpc: await getRpcTransport(conf, options),
    notifications: await getNotificationTransport(conf, options),
    streams: await getRpcTransport(streamConf, options),
  }
}

export function promisesOf(topic: TestedTopic): ReaderPromises {
  const places = [placeOf(topic)]
  switch (topic.way) {
    case 'notification':
      // Copies that were sent again carry the id of the first; a listener knows only the ids it has seen itself.
      return { places, delivery: 'at-least-once', repeats: 'allowed', ordered: topic.members === 1, settles: true }
    case 'cast':
      return { places, delivery: 'at-least-once', repeats: 'marked', ordered: false, settles: true }
    case 'call':
      return { places, delivery: 'at-least-once', repeats: 'marked', ordered: false, settles: false }
    default:
      return topic.stream === true
        ? { places, delivery: 'at-least-once', repeats: 'allowed', ordered: false, settles: false }
        : { places, delivery: 'best-effort', repeats: 'marked', ordered: false, settles: false }
  }
}

/** A queue with copies of all notifications, on each of the brokers that `plain` gives, in that order. */
export function mirrorOn(plain: () => readonly PlainClient[], quorum: boolean): Mirror {
  return {
    topics: MIRRORED,
    begin: async () => {
      for (const client of plain()) await beginMirror(client, quorum)
    },
    read: async (onMessage) => {
      for (const client of plain()) await client.drain(MIRROR, ({ key }, body) => onMessage(key, numberOf(body)))
    },
  }
}

/** The exchange has to be there: readers declare it. */
export async function beginMirror(plain: PlainClient, quorum: boolean): Promise<void> {
  await plain.mirror(
    MIRROR,
    MIRRORED.map((topic) => ({ exchange: EXCHANGE, key: placeOf(topic) })),
    quorum ? { 'x-queue-type': 'quorum' } : {},
  )
}
