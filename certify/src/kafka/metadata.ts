import { askKafka, RawReader } from './raw.ts'

const METADATA = 3
const ALL_TOPICS = Buffer.from([0xff, 0xff, 0xff, 0xff])

export interface PartitionFacts {
  readonly topic: string
  readonly partition: number
  /** Node that leads it; -1: none does. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** What one broker knows of the cluster. kafkajs throws when any partition of any topic is without a leader, which is
 *  when one wants to know. */
export interface ClusterFacts {
  /** Brokers that are up. */
  readonly brokers: number
  readonly partitions: readonly PartitionFacts[]
}

/** Metadata, version 1, of all topics. */
export async function describeCluster(broker: string): Promise<ClusterFacts> {
  const reader = new RawReader(await askKafka(broker, METADATA, 1, ALL_TOPICS))
  const brokers = reader.list(() => {
    reader.int32()
    reader.text()
    reader.int32()
    return reader.text()
  })
  reader.int32()
  const topics = reader.list(() => {
    reader.int16()
    const topic = reader.text()
    reader.skip(1)
    return reader.list(() => {
      reader.int16()
      const partition = reader.int32()
      const leader = reader.int32()
      const replicas = reader.list(() => reader.int32())
      const isr = reader.list(() => reader.int32())
      return { topic, partition, leader, replicas, isr }
    })
  })
  return { brokers: brokers.length, partitions: topics.flat() }
}
