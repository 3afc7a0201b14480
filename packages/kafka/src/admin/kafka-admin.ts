import {
  type BrokerFacts,
  type BrokerFinding,
  type CheckRequest,
  type Deadline,
  type DriverAdmin,
  type DriverContext,
  type ExamineRequest,
  type QueueReport,
  type QueuesRequest,
  type RedriveReport,
  type RedriveRequest,
  MessagingError,
  type RemovePoolRequest,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { AdminPort, KafkaClient } from '../port/client-port.ts'
import { loadCodec } from '../port/codecs.ts'
import { mapFault, toFault } from '../port/map-error.ts'
import type { KafkaOptions } from '../config.ts'
import { NotificationProducer } from '../send/notification-producer.ts'
import { deadLetterTopicOf } from '../receive/dead-letters.ts'
import { examine } from './examine.ts'
import { listLag } from './lag.ts'
import { Redrive } from './redrive.ts'
import type { KafkaSettings } from '../settings.ts'
import { checkTopicName, topicToSend } from '../topology/topic-name.ts'

/** Attempts to store one copy after the first. */
const RETRIES = 3

/** Kafka for operators: its dead letters. */
export class KafkaAdmin implements DriverAdmin {
  readonly #settings: KafkaSettings
  readonly #client: KafkaClient
  readonly #producer: NotificationProducer

  constructor(settings: KafkaSettings, client: KafkaClient, context: DriverContext<KafkaOptions>) {
    this.#settings = settings
    this.#client = client
    const { logger, clock, random } = context
    const { codec, lingerMs, batchMessages, cluster } = settings
    const host = cluster.brokers.join(',')
    this.#producer = new NotificationProducer({ client, codec, lingerMs, batchMessages, host, logger, clock, random })
  }

  async redrive(request: RedriveRequest): Promise<RedriveReport> {
    const { source, to } = request
    for (const name of to === null ? [source] : [source, to]) checkTopicName(name)
    const topic = this.#settings.deadLetterTopic ?? (await this.#lettersOf(source))
    const run = new Redrive({
      client: this.#client,
      settings: this.#settings,
      send: async (name, record, deadline) =>
        await this.#producer.send(name, () => record, { deadline, retries: RETRIES }),
      topic,
      only: topic === source ? null : source,
      request,
    })
    return await run.run()
  }

  async check({ deadline }: CheckRequest): Promise<BrokerFacts> {
    const admin = this.#client.createAdmin()
    try {
      await deadline.race(admin.connect(), { phase: 'connect', delivery: 'not-sent', waitingFor: 'connection' })
      return { product: 'Kafka', version: null }
    } catch (error) {
      throw error instanceof MessagingError ? error : mapFault(toFault(error), { doing: 'Connecting' })
    } finally {
      await admin.disconnect()
    }
  }

  async queues({ deadline }: QueuesRequest): Promise<readonly QueueReport[]> {
    return await this.#ask(deadline, 'lag of the consumer groups', listLag)
  }

  async examine({ topics, deadline }: ExamineRequest): Promise<readonly BrokerFinding[]> {
    const { codec, vhost, vhostMode } = this.#settings
    return await this.#ask(deadline, 'facts about topics', async (admin) => {
      return await examine(admin, {
        topics: topics.map((topic) => topicToSend(topic, vhost, vhostMode)),
        codec,
        tryCodec: async () => {
          if (codec !== 'none' && codec !== 'gzip') await loadCodec(codec)
        },
      })
    })
  }

  async #ask<T>(deadline: Deadline, waitingFor: string, ask: (admin: AdminPort) => Promise<T>): Promise<T> {
    const admin = this.#client.createAdmin()
    const doing = { phase: 'connect', delivery: 'not-sent', waitingFor } as const
    try {
      await deadline.race(admin.connect(), doing)
      return await deadline.race(ask(admin), doing)
    } catch (error) {
      throw error instanceof MessagingError
        ? error
        : mapFault(toFault(error), { doing: `Asking for the ${waitingFor}` })
    } finally {
      await admin.disconnect()
    }
  }

  /** A pool is a consumer group: the broker forgets its positions. */
  async removePool({ pool, deadline }: RemovePoolRequest): Promise<boolean> {
    const admin = this.#client.createAdmin()
    const doing = { phase: 'connect', delivery: 'unknown', waitingFor: 'removal of the pool' } as const
    try {
      await deadline.race(admin.connect(), doing)
      await deadline.race(admin.deleteGroup(pool), doing)
      return true
    } catch (error) {
      const fault = toFault(error)
      if (fault.type === 'GROUP_ID_NOT_FOUND') return false
      if (fault.type === 'NON_EMPTY_GROUP')
        throw new TransportDriverError(`The pool ${pool} is being read: stop its listeners first`, { retryable: false })
      throw error instanceof MessagingError ? error : mapFault(fault, { doing: `Removing the pool ${pool}` })
    } finally {
      await admin.disconnect()
    }
  }

  /** Without a configured topic each topic has one beside it, and either may be named. */
  async #lettersOf(source: string): Promise<string> {
    const admin = this.#client.createAdmin()
    try {
      await admin.connect()
      await admin.bounds(deadLetterTopicOf(source))
      return deadLetterTopicOf(source)
    } catch (error) {
      const fault = toFault(error)
      if (fault.type === 'UNKNOWN_TOPIC_OR_PARTITION') return source
      throw mapFault(fault, { doing: `Looking for the dead letters of ${source}` })
    } finally {
      await admin.disconnect()
    }
  }

  async close(): Promise<void> {
    await this.#producer.close()
  }
}
