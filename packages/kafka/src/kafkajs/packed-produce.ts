import { createRequire } from 'node:module'
import type { OutgoingRecord } from '../port/client-port.ts'
import { encodeProduceRequest } from '../wire/produce-request.ts'

/** What the library hands to its encoder. */
interface ProduceOptions {
  readonly acks: number
  readonly timeout: number
  readonly compression: number
  readonly transactionalId?: string | null
  readonly producerId?: string | number
  readonly producerEpoch?: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly firstSequence?: number
      readonly messages: readonly object[]
    }[]
  }[]
}

/** A request of the library: encoded when it is sent. */
interface ProduceRequest {
  readonly request: { readonly apiVersion: number; readonly encode: () => Promise<object> }
  readonly response: object
}

type MakeRequest = (options: ProduceOptions) => ProduceRequest

interface ProduceDefinitions {
  protocol?: (wanted: { readonly version: number }) => MakeRequest
}

/** Batches of format 2 came with version 3 of the request; what the library knows after it is laid out alike. */
const OLDEST_VERSION = 3
const NEWEST_VERSION = 7

const packable = new WeakMap<object, readonly OutgoingRecord[]>()
let applied = false

/** Says that these messages of the library are records of one partition, so that their request may be written in one go. */
export function markPackable(messages: object, records: readonly OutgoingRecord[]): void {
  packable.set(messages, records)
}

/** kafkajs 2.2.4 builds each record in a buffer of its own and copies the batch from buffer to buffer, which costs more than everything the driver does.
 *  Requests whose messages are marked are written by `encodeProduceRequest` instead, byte for byte the same; connections, metadata, numbering and answers stay the library's.
 *  Requests of others who use this copy of kafkajs are not touched, and a kafkajs that looks different is left alone. */
export function packProduceRequests(): void {
  if (applied) return
  applied = true
  const definitions = produceDefinitions()
  const original = definitions?.protocol
  if (definitions === null || original === undefined) return
  definitions.protocol = ({ version }) => {
    const make = original({ version })
    if (version < OLDEST_VERSION || version > NEWEST_VERSION) return make
    return (options) => pack(make(options), options)
  }
}

function pack(made: ProduceRequest, options: ProduceOptions): ProduceRequest {
  const { acks, timeout, compression, transactionalId, producerId = -1, producerEpoch = 0, topicData } = options
  const [topic, ...otherTopics] = topicData
  const [entry, ...otherPartitions] = topic?.partitions ?? []
  const records = entry === undefined ? undefined : packable.get(entry.messages)
  const isPlain = compression === 0 && (transactionalId ?? null) === null
  if (topic === undefined || entry === undefined || records === undefined || !isPlain) return made
  if (otherTopics.length + otherPartitions.length > 0) return made
  const facts = {
    topic: topic.topic,
    partition: entry.partition,
    acks,
    timeoutMs: timeout,
    producerId: BigInt(producerId),
    producerEpoch,
    firstSequence: entry.firstSequence ?? 0,
  }
  const encode = async (): Promise<object> => {
    const buf = encodeProduceRequest({ ...facts, timestamp: Date.now() }, records)
    // As much of an encoder as is looked at by whoever copies it behind the request's head.
    return await Promise.resolve({ buf, buffer: buf })
  }
  return { ...made, request: { ...made.request, encode } }
}

function produceDefinitions(): ProduceDefinitions | null {
  try {
    const require = createRequire(import.meta.url)
    return require('kafkajs/src/protocol/requests/produce') as ProduceDefinitions
  } catch {
    // Another build of kafkajs without this file: then it encodes all requests itself, and nothing else depends on it.
    return null
  }
}
