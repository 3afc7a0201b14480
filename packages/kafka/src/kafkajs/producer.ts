import type { ICustomPartitioner, Kafka, Message, PartitionerArgs, Producer } from 'kafkajs'
import {
  ClientFault,
  type OutgoingRecord,
  type ProducerPort,
  type ProducerPortOptions,
  type ProduceRequest,
} from '../port/client-port.ts'
import { compressionType } from './compression.ts'
import type { ExplainFault } from './explain-fault.ts'
import { faultOf } from './fault.ts'
import { markPackable } from './packed-produce.ts'
import type { Sockets } from './sockets.ts'

/** What a broker reads at once by default (socket.request.max.bytes), less what surrounds the records. */
const LARGEST_REQUEST_BYTES = 100 * 1024 * 1024 - 1024
const ACKS_ALL = -1
/** How long a request under way may hold up a disconnect. */
const DISCONNECT_MS = 500

/** One request per call, to one partition, so that every answer is about exactly the records of that call. */
export class KafkaJSProducer implements ProducerPort {
  readonly #producer: Producer
  readonly #sockets: Sockets
  readonly #explain: ExplainFault
  readonly #options: ProducerPortOptions
  /** The partition of the request under way, by topic; the driver has one request a topic under way. */
  readonly #chosen = new Map<string, { partition: number | undefined }>()
  #turn = Math.floor(Math.random() * 0xffff)

  constructor(kafka: Kafka, sockets: Sockets, explain: ExplainFault, options: ProducerPortOptions) {
    this.#explain = explain
    this.#sockets = sockets
    this.#options = options
    this.#producer = kafka.producer({
      createPartitioner: this.#createPartitioner,
      idempotent: options.idempotent,
      allowAutoTopicCreation: true,
      // No retry at all, so that one call is one attempt. 0 is refused for idempotent producers; NaN is not, and compares as spent.
      retry: { retries: Number.NaN },
    })
  }

  async connect(): Promise<void> {
    try {
      await this.#producer.connect()
    } catch (error) {
      throw await this.#explain(faultOf(error))
    }
  }

  async produce({ topic, partition, records }: ProduceRequest): Promise<void> {
    const written = this.#sockets.produceRequests
    const chosen = { partition }
    this.#chosen.set(topic, chosen)
    let stored
    try {
      stored = await this.#producer.send({
        topic,
        messages: onePartition(records),
        acks: ACKS_ALL,
        timeout: this.#options.timeoutMs,
        compression: compressionType(this.#options.compression),
      })
    } catch (error) {
      const fault = faultOf(error, {
        // Before a partition was chosen, what was written is another topic's.
        written: chosen.partition !== undefined && this.#sockets.produceRequests !== written,
        partition: chosen.partition,
      })
      throw isCutForItsSize(fault, records) ? requestTooLarge(fault) : fault
    } finally {
      this.#chosen.delete(topic)
    }
    // A partition that is not in the metadata makes `send` resolve with nothing stored.
    if (!stored.some((part) => part.partition === chosen.partition)) {
      throw new ClientFault('PartitionMissing', `Topic ${topic} has no partition ${chosen.partition}`, {
        partition: chosen.partition,
      })
    }
  }

  async disconnect(): Promise<void> {
    const timer = setTimeout(() => this.#sockets.cutAll(), DISCONNECT_MS)
    try {
      await this.#producer.disconnect()
    } catch {
      // There is nobody to disconnect from any more: what is left is cut below.
    } finally {
      clearTimeout(timer)
      this.#sockets.cutAll()
    }
  }

  /** All records of a request go to one partition: the one asked for, else the next one in turn that has a leader. */
  readonly #createPartitioner: ICustomPartitioner = () => {
    return ({ topic, partitionMetadata }: PartitionerArgs): number => {
      const chosen = this.#chosen.get(topic)
      if (chosen?.partition !== undefined) return chosen.partition
      const usable = partitionMetadata.filter(({ leader }) => leader >= 0)
      const from = usable.length > 0 ? usable : partitionMetadata
      this.#turn = (this.#turn + 1) % 0x7fffffff
      const partition = from[this.#turn % from.length]?.partitionId ?? 0
      if (chosen !== undefined) chosen.partition = partition
      return partition
    }
  }
}

/** A broker reads the size of a request first and cuts the connection when it is more than it takes, without an answer. Only one that large is ever alone in a request. */
function isCutForItsSize({ type, written }: ClientFault, records: readonly OutgoingRecord[]): boolean {
  const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
  return written && bytes >= LARGEST_REQUEST_BYTES && /^(EPIPE|ECONNRESET|KafkaJSConnectionClosedError)$/.test(type)
}

function requestTooLarge(fault: ClientFault): ClientFault {
  return new ClientFault('RequestTooLarge', 'The broker cut the connection instead of reading a request this large', {
    cause: fault,
    written: true,
    partition: fault.partition,
    host: fault.host,
  })
}

type Group = (groups: object, message: OutgoingRecord) => object

/** The records of one request as kafkajs takes them. It groups them by partition with `reduce`, in quadratic time; these all have the same, so the first speaks for them. */
function onePartition(records: readonly OutgoingRecord[]): Message[] {
  const messages = [...records] as Message[]
  const reduce = (group: Group, groups: object): object => {
    const [first] = records
    const grouped = first === undefined ? groups : group(groups, first)
    return Object.fromEntries(Object.keys(grouped).map((partition) => [partition, messages]))
  }
  Object.defineProperty(messages, 'reduce', { value: reduce })
  markPackable(messages, records)
  return messages
}
