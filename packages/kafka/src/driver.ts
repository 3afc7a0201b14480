import {
  Deadline,
  type Driver,
  type DriverContext,
  type Health,
  InvalidTarget,
  type Listener,
  type NotificationSource,
  type NotifyListenOptions,
  type NotifyOptions,
  type OutgoingNotification,
  summarizeHealth,
  type Target,
  UnsupportedCapability,
} from '@oslo-messaging/core/driver'
import type { KafkaClient, OutgoingRecord } from './port/client-port.ts'
import type { KafkaOptions } from './config.ts'
import { KafkaListener } from './receive/listener.ts'
import { NotificationProducer } from './send/notification-producer.ts'
import { encodeRecord } from './wire/record.ts'
import type { KafkaSettings } from './settings.ts'
import { checkTopicName, topicsToRead, topicToSend } from './topology/topic-name.ts'
import { within } from './port/within.ts'
import { unreadNames } from './receive/vhost-advice.ts'

/** How long one attempt to write to the dead-letter topic may take. */
const DEAD_LETTER_MS = 30_000
/** How long a listener that could not start may take to leave before its failure is told. */
const CLOSE_MS = 500

/** Notifications over Kafka: wiring only. */
export class KafkaDriver implements Driver {
  readonly #settings: KafkaSettings
  readonly #client: KafkaClient
  readonly #context: DriverContext<KafkaOptions>
  readonly #producer: NotificationProducer
  readonly #listeners = new Set<KafkaListener>()

  constructor(settings: KafkaSettings, client: KafkaClient, context: DriverContext<KafkaOptions>) {
    this.#settings = settings
    this.#client = client
    this.#context = context
    const { logger, clock, random } = context
    const { codec, lingerMs, batchMessages } = settings
    const host = settings.cluster.brokers.join(',')
    this.#producer = new NotificationProducer({ client, codec, lingerMs, batchMessages, host, logger, clock, random })
  }

  async send(): Promise<never> {
    return await Promise.reject(notifyOnly())
  }

  async listen(): Promise<never> {
    return await Promise.reject(notifyOnly())
  }

  /** Not `async`: the wrapper would live as long as the notification is on its way, and a hundred thousand may be. */
  sendNotification(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    try {
      const { vhost, vhostMode } = this.#settings
      const { orderingKey } = notification
      const topic = topicToSend(requireTopic(target), vhost, vhostMode)
      checkTopicName(topic)
      const encode = (): OutgoingRecord => {
        const value = encodeRecord(notification)
        const { headers } = notification
        return {
          value,
          ...(headers === undefined ? {} : { headers }),
          ...(orderingKey === undefined ? {} : { key: Buffer.from(orderingKey) }),
        }
      }
      const { deadline, retries } = options
      return this.#producer.send(topic, encode, { deadline, retries, isOrdered: orderingKey !== undefined })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async listenForNotifications(
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ): Promise<Listener> {
    const { vhost, vhostMode, group } = this.#settings
    const topics = new Map<string, string>()
    for (const { target, priority } of sources) {
      for (const name of topicsToRead(requireTopic(target), priority, vhost, vhostMode)) {
        checkTopicName(name)
        topics.set(name, priority)
      }
    }
    const { logger, clock, random } = this.#context
    const listener = new KafkaListener({
      client: this.#client,
      group: options.pool ?? group,
      topics,
      unread: unreadNames(
        sources.map(({ target, priority }) => ({ topic: requireTopic(target), priority })),
        vhost,
        vhostMode,
      ),
      settings: this.#settings,
      startFrom: options.startFrom,
      instance: this.#instanceOf(options.pool ?? group),
      prefetch: options.prefetch,
      onMessage: options.onMessage,
      logger,
      clock,
      random,
      send: async (topic, record) =>
        await this.#producer.send(topic, () => record, {
          deadline: Deadline.after(DEAD_LETTER_MS, { clock }),
          retries: null,
        }),
    })
    this.#listeners.add(listener)
    const forget = (): void => {
      this.#listeners.delete(listener)
    }
    listener.closed.then(forget, () => {})
    try {
      await listener.start(options.deadline)
    } catch (error) {
      // A broker that has fallen silent would hold up whoever waits until a deadline; closing the driver waits for the
      // rest.
      const closing = listener.close().finally(forget)
      await within(CLOSE_MS, clock, closing).catch(() => {})
      throw error
    }
    return listener
  }

  /** The name of a static member, another one for each listener of a group. */
  #instanceOf(group: string): string | undefined {
    const { groupInstanceId } = this.#settings
    if (groupInstanceId === null) return undefined
    const taken = new Set([...this.#listeners].filter((other) => other.group === group).map(({ instance }) => instance))
    for (let number = 1; ; number += 1) {
      const instance = number === 1 ? groupInstanceId : `${groupInstanceId}-${number}`
      if (!taken.has(instance)) return instance
    }
  }

  health(): Health {
    return summarizeHealth([...this.#producer.health(), ...[...this.#listeners].map((listener) => listener.health())])
  }

  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await Promise.all([
      this.#producer.close(signal),
      ...[...this.#listeners].map(async (listener) => await listener.close()),
    ])
  }
}

function requireTopic(target: Target): string {
  if (target.topic !== null && target.topic !== '') return target.topic
  throw new InvalidTarget('A topic is needed', target, { delivery: 'not-sent' })
}

function notifyOnly(): UnsupportedCapability {
  return new UnsupportedCapability(
    'rpc',
    'kafka is notify-only: set [DEFAULT] transport_url to rabbit:// or amqp:// and keep kafka in [oslo_messaging_notifications] transport_url',
  )
}
