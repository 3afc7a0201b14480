import type { QueueReport } from '@oslo-messaging/core/driver'
import type { AdminPort, PartitionBounds } from '../port/client-port.ts'

const NOBODY =
  'nobody of the consumer group is there; its position stays until the broker forgets it (offsets.retention.minutes), and records until the topic does'

/** What each consumer group has left of the topics it reads, as `topic (group)`, and the topics that no group reads.
 *  Partitions in which a group has no position are not counted: it may begin at either end. */
export async function listLag(admin: AdminPort): Promise<readonly QueueReport[]> {
  const topics = await admin.topics()
  const bounds = new Map<string, readonly PartitionBounds[]>()
  // One after the other: kafkajs forgets partitions when such questions overlap.
  for (const topic of topics) bounds.set(topic, await admin.bounds(topic))
  const read = new Set<string>()
  const reports: QueueReport[] = []
  for (const { group, members } of await admin.groups()) {
    const left = new Map<string, number>()
    for (const { topic, partition, offset } of await admin.committed(group, topics)) {
      const { low = 0, high = 0 } = bounds.get(topic)?.find((each) => each.partition === partition) ?? {}
      left.set(topic, (left.get(topic) ?? 0) + Math.max(0, high - Math.max(low, offset)))
    }
    for (const [topic, messages] of left) {
      read.add(topic)
      const why =
        members > 0 ? null : messages > 0 ? NOBODY : 'nobody of the consumer group is there, and nothing is left'
      reports.push({
        name: `${topic} (${group})`,
        messages,
        bytes: null,
        consumers: members,
        orphan: members === 0 && messages > 0,
        why,
      })
    }
  }
  for (const [topic, partitions] of bounds) {
    if (read.has(topic)) continue
    const messages = partitions.reduce((sum, { low, high }) => sum + high - low, 0)
    const why = topic.endsWith('.dead')
      ? 'dead letters: oslo-msg redrive returns them'
      : 'no consumer group has a position in it'
    reports.push({ name: topic, messages, bytes: null, consumers: 0, orphan: false, why })
  }
  return reports
}
