import { readdirSync, readFileSync } from 'node:fs'

import type { SharedKafka } from '@oslo-messaging/brokers'
import {
  type ConfigOverrides,
  type ContextRedaction,
  getNotificationListener,
  type NotificationArguments,
  type NotificationEndpoint,
  type NotificationTransport,
  Notifier,
  PRIORITIES,
  type Priority,
  Target,
} from '@oslo-messaging/core'

import { Inbox } from '../../test/support/inbox.ts'
import { openBus, unique } from '../../test/support/ours.ts'
import type { Message } from '../normalize.ts'
import { PlainKafka } from './bus.ts'

const FOLDER = new URL('../../vectors/', import.meta.url)

interface Produced {
  readonly method: 'produce'
  readonly record: {
    readonly topic: string
    readonly key: null
    readonly headers: null
    readonly value: string
  }
}

interface Subscribed {
  readonly method: 'subscribe'
  readonly topics: readonly string[]
  readonly group: string
}

export interface KafkaVector {
  readonly file: string
  readonly api: {
    readonly call: string
    readonly url: string
    readonly driver?: string
    readonly publisher_id?: string
    readonly topics?: readonly string[]
    readonly targets?: readonly { readonly topic: string }[]
    readonly ctxt?: Message
    readonly event_type?: string
    readonly payload?: unknown
    readonly received?: readonly [object, string, string, unknown, Message] | null
  }
  readonly options?: Readonly<Record<string, unknown>>
  readonly wire: readonly (Produced | Subscribed)[]
}

export const kafkaVectors: readonly KafkaVector[] = readdirSync(FOLDER)
  .filter((file) => /^kafka-.*\.json$/.test(file))
  .toSorted()
  .map((file) => ({ ...(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Omit<KafkaVector, 'file'>), file }))

export const producedIn = ({ wire }: KafkaVector): readonly Produced['record'][] =>
  wire.flatMap((step) => (step.method === 'produce' ? [step.record] : []))
export const subscribedIn = ({ wire }: KafkaVector): readonly Subscribed[] =>
  wire.flatMap((step) => (step.method === 'subscribe' ? [step] : []))
const vhostOf = ({ api }: KafkaVector): string => /\/\/[^/]*\/(.*)$/.exec(api.url)?.[1] ?? ''

/** What our endpoint was given. */
export interface Taken {
  readonly priority: Priority
  readonly args: readonly unknown[]
}

/** One Kafka for all vectors; their topics have a word in front that no other run uses. `out-` topics are ours to
 *  write, `in-` topics those of Python's records. */
export class KafkaScene {
  readonly #kafka: SharedKafka
  readonly #word: string = unique('golden')
  readonly #buses: NotificationTransport[] = []
  readonly plain: PlainKafka
  readonly taken: Inbox<Taken> = new Inbox<Taken>()

  constructor(kafka: SharedKafka) {
    this.#kafka = kafka
    this.plain = new PlainKafka(kafka, this.#word)
  }

  /** Prefix of the topics of one vector. */
  prefix(way: 'out' | 'in', vector: KafkaVector): string {
    return `${this.#word}.${way}.${vector.file.replace('.json', '')}.`
  }

  /** Makes the topics, starts the reader, and one listener of ours for each virtual host. */
  async open(): Promise<void> {
    const produced = kafkaVectors.flatMap((vector) =>
      producedIn(vector).map(({ topic }) => ({ vector, topic, vhost: vhostOf(vector) })),
    )
    const listened = kafkaVectors.flatMap((vector) =>
      subscribedIn(vector).flatMap(({ topics }) => topics.map((topic) => ({ vector, topic, vhost: vhostOf(vector) }))),
    )
    const out = produced.map(({ vector, topic }) => this.prefix('out', vector) + topic)
    const into = [...produced, ...listened].map(({ vector, topic }) => this.prefix('in', vector) + topic)
    await this.#kafka.createTopics([...out, ...into], { partitions: 1 })
    await this.plain.open(out)
    for (const vhost of ['', 'vh1']) {
      const there = [...produced, ...listened].filter((each) => each.vhost === vhost)
      // `<topic>.<priority>[.<vhost>]`: a listener is given the topic alone.
      const topics = there.map(({ vector, topic }) => this.prefix('in', vector) + (topic.split('.')[0] ?? ''))
      await this.#listen(vhost, [...new Set(topics)])
    }
  }

  /** The group of our listener in a virtual host. */
  groupOf(vhost: string): string {
    return `${this.#word}-${vhost}`
  }

  async #listen(vhost: string, topics: readonly string[]): Promise<void> {
    const bus = await this.#bus(vhost, { consumer_group: this.groupOf(vhost) })
    const take =
      (priority: Priority) =>
      (...args: NotificationArguments): void =>
        this.taken.add({ priority, args: args.slice(0, 5) })
    const endpoint = Object.fromEntries(PRIORITIES.map((each) => [each, take(each)])) as NotificationEndpoint
    const targets = topics.map((topic) => new Target({ topic }))
    await getNotificationListener(bus, targets, [endpoint]).start()
  }

  /** Does what the vector says, with our notifier. */
  async notify(vector: KafkaVector, contextRedaction: ContextRedaction = 'copy-or-known-keys'): Promise<void> {
    const { call, driver = 'messaging', publisher_id: publisherId = 'p', topics = [], ctxt = {}, ...api } = vector.api
    const entries = Object.entries(vector.options ?? {})
    const options = Object.fromEntries(entries.map(([name, value]) => [name.replace(/^.*\./, ''), value]))
    const bus = await this.#bus(vhostOf(vector), options as Readonly<Record<string, string>>)
    const prefixed = topics.map((topic) => this.prefix('out', vector) + topic)
    const notifier = new Notifier(bus, { driver, publisherId, topics: prefixed, contextRedaction })
    await notifier[call.replace('Notifier.', '') as Priority](contextOf(ctxt), api.event_type ?? 'e', api.payload)
  }

  async #bus(vhost: string, options: Readonly<Record<string, string>>): Promise<NotificationTransport> {
    const overrides: ConfigOverrides = { oslo_messaging_kafka: options }
    const bus = await openBus(`${this.#kafka.url.replace(/\/$/, '')}/${vhost}`, overrides)
    this.#buses.push(bus)
    return bus
  }

  async close(): Promise<void> {
    await Promise.all([...this.#buses.map((bus) => bus.close()), this.plain.close()])
  }
}

/** `{ object: {...} }` stands for a context that knows what of it may be stored. */
function contextOf(ctxt: Message): object {
  if (!('object' in ctxt)) return ctxt
  const { auth_token: _token, ...kept } = ctxt['object'] as Message
  return { redactedCopy: () => kept }
}
