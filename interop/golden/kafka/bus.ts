import type { SharedKafka } from '@oslo-messaging/brokers'
import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs'

import { Inbox } from '../../test/support/inbox.ts'

/** A record as somebody else reads it. */
export interface PlainRecord {
  readonly topic: string
  readonly key: string | null
  readonly headers: readonly string[]
  readonly value: string
}

/** Plain kafkajs beside our driver: reads every record of some topics, and puts what Python wrote. */
export class PlainKafka {
  readonly records: Inbox<PlainRecord> = new Inbox<PlainRecord>()
  readonly #kafka: Kafka
  readonly #consumer: Consumer
  readonly #producer: Producer

  constructor(kafka: SharedKafka, group: string) {
    const brokers = kafka.hosts.map(({ host, port }) => `${host}:${port}`)
    this.#kafka = new Kafka({ brokers, clientId: 'plain', logLevel: logLevel.NOTHING })
    this.#consumer = this.#kafka.consumer({ groupId: group, metadataMaxAge: 1000 })
    this.#producer = this.#kafka.producer()
  }

  /** From the beginning of every topic. */
  async open(topics: readonly string[]): Promise<void> {
    await this.#producer.connect()
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await this.#consumer.run({
      eachMessage: ({ topic, message: { key, headers = {}, value } }) => {
        const text = value?.toString('utf8') ?? ''
        this.records.add({ topic, key: key?.toString() ?? null, headers: Object.keys(headers), value: text })
        return Promise.resolve()
      },
    })
  }

  async put(topic: string, value: string): Promise<void> {
    await this.#producer.send({ topic, messages: [{ value }] })
  }

  /** The topics the only member of a group is subscribed to. */
  async subscriptionsOf(group: string): Promise<readonly string[]> {
    const admin = this.#kafka.admin()
    await admin.connect()
    try {
      const { groups } = await admin.describeGroups([group])
      return groups.flatMap(({ members }) => members.flatMap(({ memberMetadata }) => topicsIn(memberMetadata)))
    } finally {
      await admin.disconnect()
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#consumer.disconnect(), this.#producer.disconnect()])
  }
}

/** Version, then a list of names with their lengths before them. */
function topicsIn(metadata: Buffer): readonly string[] {
  const topics: string[] = []
  let at = 6
  for (let left = metadata.readInt32BE(2); left > 0; left -= 1) {
    const length = metadata.readInt16BE(at)
    topics.push(metadata.toString('utf8', at + 2, at + 2 + length))
    at += 2 + length
  }
  return topics
}
