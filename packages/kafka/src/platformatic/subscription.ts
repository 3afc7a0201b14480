import type { TopicPartition } from '../port/client-port.ts'
import { type GroupMember, STRATEGIES } from '../port/group-assignment.ts'
import { int16, int32, text } from '../port/primitives.ts'
import { AnswerReader } from '../wire/answer-reader.ts'

/** What a member says of itself when it joins, for each strategy. Shape: version, topics, user data.
 *  Source: Kafka's ConsumerProtocolSubscription, version 0. */
export function subscriptions(
  topics: readonly string[],
): readonly { readonly name: string; readonly metadata: Buffer }[] {
  return STRATEGIES.map(({ name, version }) => ({
    name,
    metadata: Buffer.concat([int16(version), int32(topics.length), ...topics.map(text), int32(0)]),
  }))
}

export function readSubscription(id: string, metadata: Buffer | null): GroupMember {
  if (metadata === null || metadata.length === 0) return { id, topics: [] }
  const reader = new AnswerReader(metadata)
  reader.skip(2)
  return { id, topics: reader.list(() => reader.text()) }
}

/** Who has what, as the leader tells the group. Shape: version, partitions by topic, user data. */
export function encodeAssignment(version: number, assignment: Readonly<Record<string, readonly number[]>>): Buffer {
  const topics = Object.entries(assignment)
  return Buffer.concat([
    int16(version),
    int32(topics.length),
    ...topics.flatMap(([topic, partitions]) => [text(topic), int32(partitions.length), ...partitions.map(int32)]),
    int32(0),
  ])
}

export function readAssignment(assignment: Buffer): readonly TopicPartition[] {
  if (assignment.length === 0) return []
  const reader = new AnswerReader(assignment)
  reader.skip(2)
  return reader
    .list(() => {
      const topic = reader.text()
      return reader.list(() => ({ topic, partition: reader.int32() }))
    })
    .flat()
}
