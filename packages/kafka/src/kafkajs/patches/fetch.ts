import { readFetchAnswer, type FetchedPart, type FetchRules } from '../../wire/fetch-answer.ts'
import { codecOf } from '../compression.ts'
import { API_KEYS, type ClientPatches, type RequestFields } from './client-patches.ts'

/** A part of an answer stands in kafkajs's list of messages as the only one: kafkajs looks at its offset, and hands it
 *  through. */
interface Carrier {
  readonly offset: string
  readonly isControlRecord: false
  readonly part: FetchedPart
}

interface FetchFields {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[]
  }[]
}

/** The one whose layout is known here; all brokers since Kafka 2.3 have it. */
const VERSION = 11

/** Reads fetched batches here. kafkajs makes a decoder, a 64-bit number and copies of key and value for each record,
 *  checks no checksum, bounds nothing, loses repeated headers, and does not tell how far a batch reaches whose last
 *  records are nobody's to read. */
export function readFetches(patches: ClientPatches, rules: Omit<FetchRules, 'decompress'>): void {
  const all: FetchRules = {
    ...rules,
    decompress: async (codec, data) => await codecOf(codec).decompress(data),
  }
  patches.request(API_KEYS.fetch, (make) => (fields) => {
    const made = make(fields)
    if (made.request.apiVersion !== VERSION) return made
    const decode = async (data: Buffer): Promise<unknown> =>
      // Batches from before Kafka 0.11 are left to kafkajs.
      (await decodeAnswer(data, fields, all)) ?? (await made.response.decode(data))
    return { ...made, response: { ...made.response, decode } }
  })
}

/** The part in a list of kafkajs's messages, if it was read here. */
export function partOf(messages: readonly object[]): FetchedPart | undefined {
  const [first] = messages
  return first !== undefined && 'part' in first ? (first as Carrier).part : undefined
}

async function decodeAnswer(data: Buffer, fields: RequestFields, rules: FetchRules): Promise<object | undefined> {
  const { topics } = fields as object as FetchFields
  const from = (topic: string, partition: number): number => offsetAsked(topics, topic, partition)
  const answer = await readFetchAnswer(data, from, rules)
  if (answer === undefined) return undefined
  const { throttleMs, errorCode, sessionId, partitions } = answer
  const responses = [...new Set(partitions.map(({ topic }) => topic))].map((topicName) => ({
    topicName,
    partitions: partitions
      .filter(({ topic }) => topic === topicName)
      .map(({ topic, part, lastStableOffset, lastStartOffset, ...facts }) => {
        const carrier: Carrier = { offset: String(part.next - 1), isControlRecord: false, part }
        return {
          ...facts,
          highWatermark: String(part.end),
          lastStableOffset: String(lastStableOffset),
          lastStartOffset: String(lastStartOffset),
          // Done with here.
          abortedTransactions: [],
          messages: part.next > from(topic, facts.partition) ? [carrier] : [],
        }
      }),
  }))
  return { throttleTime: 0, clientSideThrottleTime: throttleMs, errorCode, sessionId, responses }
}

function offsetAsked(topics: FetchFields['topics'], topic: string, partition: number): number {
  for (const asked of topics) {
    const found = asked.topic === topic && asked.partitions.find((each) => each.partition === partition)
    if (found) return Number(found.fetchOffset)
  }
  return 0
}
