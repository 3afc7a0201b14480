import type { Admin, Kafka } from 'kafkajs'
import { type AdminPort, ClientFault, type PartitionBounds, type PartitionOffset } from '../port/client-port.ts'
import type { ExplainFault } from './explain-fault.ts'
import { faultOf } from './fault.ts'
import type { Sockets } from './sockets.ts'

const DISCONNECT_MS = 500
const NOT_STORED = -1

export class KafkaJSAdmin implements AdminPort {
  readonly #admin: Admin
  readonly #sockets: Sockets
  readonly #lastRefusal: () => string | undefined
  readonly #explain: ExplainFault

  /** `lastRefusal` gives what the broker answered last when it refused a request, as text. */
  constructor(kafka: Kafka, sockets: Sockets, lastRefusal: () => string | undefined, explain: ExplainFault) {
    this.#sockets = sockets
    this.#lastRefusal = lastRefusal
    this.#explain = explain
    this.#admin = kafka.admin()
  }

  async connect(): Promise<void> {
    await this.#ask(() => this.#admin.connect())
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const offsets = await this.#ask(() => this.#admin.fetchTopicOffsets(topic))
    return offsets.map(({ partition, low, high }) => ({ topic, partition, low: Number(low), high: Number(high) }))
  }

  async committed(group: string, topics: readonly string[]): Promise<readonly PartitionOffset[]> {
    const stored = await this.#ask(() => this.#admin.fetchOffsets({ groupId: group, topics: [...topics] }))
    return stored.flatMap(({ topic, partitions }) =>
      partitions
        .map(({ partition, offset, metadata }) => ({
          topic,
          partition,
          offset: Number(offset),
          ...(metadata === null || metadata === '' ? {} : { note: metadata }),
        }))
        .filter(({ offset }) => offset !== NOT_STORED),
    )
  }

  async disconnect(): Promise<void> {
    const timer = setTimeout(() => this.#sockets.cutAll(), DISCONNECT_MS)
    try {
      await this.#admin.disconnect()
    } catch {
      // There is nobody to disconnect from any more: what is left is cut below.
    } finally {
      clearTimeout(timer)
      this.#sockets.cutAll()
    }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      const fault = faultOf(error)
      const refusal = this.#lastRefusal()
      // kafkajs swallows why no coordinator was found, and only its log remembers.
      if (
        fault.type === 'KafkaJSGroupCoordinatorNotFound' &&
        refusal?.includes('authorized to access group') === true
      ) {
        throw new ClientFault('GROUP_AUTHORIZATION_FAILED', refusal, { cause: error })
      }
      throw await this.#explain(fault)
    }
  }
}
