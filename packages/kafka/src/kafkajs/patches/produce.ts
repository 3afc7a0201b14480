import { CompressionTypes } from 'kafkajs'
import type { OutgoingRecord, TopicPartition } from '../../port/client-port.ts'
import type { Numbering } from '../../port/partition-numbers.ts'
import { type BatchToSend, encodeProduceRequest } from '../../wire/produce-request.ts'
import { codecOf } from '../compression.ts'
import { API_KEYS, type ClientPatches, type MadeRequest, type RequestFields } from './client-patches.ts'

/** What the library hands to its encoder. */
interface ProduceFields {
  readonly acks: number
  readonly timeout: number
  readonly compression: CompressionTypes
  readonly producerId?: string | number
  readonly producerEpoch?: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly OutgoingRecord[] }[]
  }[]
}

export interface ProduceWatch {
  numberingOf(partition: TopicPartition): Numbering
  /** Gives the memory of a body. */
  readonly allocate: (bytes: number) => Buffer
  /** A request with these partitions is about to be written. Returns what stands for its body until then. */
  encoded(body: Buffer, partitions: readonly TopicPartition[]): Buffer
}

const NOT_NUMBERED = -1
/** Batches of format 2 came with version 3 of the request; what the library knows after it is laid out alike. */
const OLDEST_VERSION = 3
const NEWEST_VERSION = 7

/** Writes the produce requests of a client here: kafkajs builds each record in a buffer of its own and copies the batch
 *  from buffer to buffer, which costs more than everything the driver does, and it numbers the batches of all
 *  partitions in one epoch. Connections, metadata and the producer's id stay the library's. An answer with a fault in
 *  it does not fail: whoever sent looks at each partition. */
export function writeProduceRequests(patches: ClientPatches, watch: ProduceWatch): void {
  patches.request(API_KEYS.produce, (make) => (fields) => {
    const made = make(fields)
    const { apiVersion } = made.request
    if (apiVersion < OLDEST_VERSION || apiVersion > NEWEST_VERSION)
      throw new RangeError(`Version ${apiVersion} of the produce request is not known`)
    return rewrite(made, fields, watch)
  })
}

function rewrite(made: MadeRequest, fields: RequestFields, watch: ProduceWatch): MadeRequest {
  const {
    acks,
    timeout,
    compression,
    producerId = NOT_NUMBERED,
    producerEpoch = 0,
    topicData,
  } = fields as object as ProduceFields
  const encode = async (): Promise<object> => {
    const batches = topicData.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, messages }): BatchToSend => {
        const { epoch, sequence } = watch.numberingOf({ topic, partition })
        return { topic, partition, producerEpoch: producerEpoch + epoch, firstSequence: sequence, records: messages }
      }),
    )
    const codec =
      compression === CompressionTypes.None
        ? {}
        : {
            codec: {
              attribute: compression,
              compress: async (records: Buffer) => await codecOf(compression).compress({ buffer: records }),
            },
          }
    const facts = { acks, timeoutMs: timeout, producerId: BigInt(producerId), timestamp: Date.now(), ...codec }
    const mark = watch.encoded(await encodeProduceRequest(facts, batches, watch.allocate), batches)
    // As much of an encoder as is looked at by whoever copies it behind the request's head.
    return { buf: mark, buffer: mark }
  }
  return {
    ...made,
    request: { ...made.request, encode },
    response: { ...made.response, parse: async (answer) => await Promise.resolve(answer) },
  }
}
