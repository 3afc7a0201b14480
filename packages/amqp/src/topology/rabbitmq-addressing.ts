import { randomUUID } from 'node:crypto'
import type { Deadline, Target } from '@oslo-messaging/core/driver'
import { type AddresserContext, createLegacyAddresser, type Service } from './topic-addresses.ts'
import type { Addressing } from './addressing.ts'
import type { PeerConnection } from '../connection/peer-connection.ts'
import { createManagement, type QueueProperties } from './rabbitmq-management.ts'

const QUEUES = '/queues/'
const EXCHANGES = '/exchanges/'

/** RabbitMQ 4 makes no node by itself and takes addresses of its second version only (`/queues/<queue>`,
 *  `/exchanges/<exchange>/<key>`). Names are those of the legacy addresses: a topic or a server is a queue, the fanout
 *  of a topic is a fanout exchange to which each server binds a queue of its own, and notifications go through one that
 *  fills the queue of the topic and one for each pool. Both sides declare what they use, so that it does not matter who
 *  comes first. Replies come to a queue that is this connection's alone and goes with it, and so does a server's share
 *  of the fanout, which goes with the last link on it as well. A volatile queue (RabbitMQ 4.3) is none for replies: it
 *  drops what comes while its link has no credit left, and the broker gives out no more than 256 of it at a time. */
export function createRabbitAddressing(context: AddresserContext, connection: PeerConnection): Addressing {
  const names = createLegacyAddresser(context)
  const management = createManagement(connection)
  const nameOf = (target: Target): string => names.address(target, 'rpc')
  const addressOf = (target: Target, service: Service): string => {
    const hasExchange = target.fanout || service === 'notify'
    return `${hasExchange ? EXCHANGES : QUEUES}${encodeURIComponent(nameOf(target))}`
  }
  /** Part of the names of what belongs to this connection: the broker may still hold what an earlier one of ours has
   *  left. */
  const mine = randomUUID().replaceAll('-', '')
  const fanoutCopy = { durable: false, exclusive: true, autoDelete: true } as const
  const replies = { durable: false, exclusive: true, autoDelete: false } as const
  const stored = { durable: true, exclusive: false, autoDelete: false } as const
  /** A queue with a copy of what comes to the exchange. Resolves with its address. */
  const copyTo = async (queue: string, exchange: string, properties: QueueProperties, deadline: Deadline) => {
    await management.declareFanout(exchange, deadline)
    await management.declareQueue(queue, properties, deadline)
    await management.bind(exchange, queue, deadline)
    return `${QUEUES}${encodeURIComponent(queue)}`
  }

  return {
    mode: 'rabbitmq',
    needsBody: true,
    tellsFirstAcquirer: true,
    address: addressOf,
    async prepareToSend(target, service, deadline) {
      const name = nameOf(target)
      if (service === 'notify') await copyTo(name, name, stored, deadline)
      else if (target.fanout) await management.declareFanout(name, deadline)
      else await management.declareQueue(name, stored, deadline)
    },
    sources: ({ targets, service, owner }, deadline) =>
      Promise.all(
        targets.map(async (target) => {
          const name = nameOf(target)
          if (service === 'notify') return await copyTo(name, name, stored, deadline)
          if (target.fanout) return await copyTo(`${name}.${owner}.${mine}`, name, fanoutCopy, deadline)
          await management.declareQueue(name, stored, deadline)
          return addressOf(target, service)
        }),
      ),
    poolSources: (targets, pool, deadline) =>
      Promise.all(
        targets.map(async (target) => {
          const name = nameOf(target)
          return await copyTo(`${name}.pool.${pool}`, name, stored, deadline)
        }),
      ),
    async replySource(deadline) {
      const queue = `reply_${mine}`
      await management.declareQueue(queue, replies, deadline)
      return `${QUEUES}${queue}`
    },
  }
}

/** The plugin of RabbitMQ 3 knows its own addresses and nothing of management, dynamic sources or modified outcomes:
 *  queues are made by naming them (`/queue/<name>`), the fanout of a topic is a key of `amq.topic`. A queue for replies
 *  stays behind when its client goes. */
export function createRabbitPluginAddressing(context: AddresserContext): Addressing {
  const names = createLegacyAddresser(context)
  const escaped = (target: Target): string => encodeURIComponent(names.address(target, 'rpc'))
  return {
    mode: 'rabbitmq-plugin',
    address: (target) => (target.fanout ? `/topic/${escaped(target)}` : `/queue/${escaped(target)}`),
    replySource: async () => `/queue/reply_${randomUUID().replaceAll('-', '')}`,
    supportsModified: false,
    needsBody: true,
  }
}
