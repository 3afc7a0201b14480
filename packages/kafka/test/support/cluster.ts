import net from 'node:net'
import type { KafkaBroker } from '@oslo-messaging/brokers'
import { withAdmin } from './broker.ts'

/** Kafka's own topic of group positions; it has one partition here, so its leader looks after every group. */
const OFFSETS = '__consumer_offsets'
const EVERY_MS = 100

/** Ids of brokers count from 1, in the order of `nodes`. */
export type BrokerId = number

export function nodeOf(broker: KafkaBroker, id: BrokerId): KafkaBroker['nodes'][number] {
  const node = broker.nodes[id - 1]
  if (node === undefined) throw new Error(`There is no broker ${id}`)
  return node
}

export async function leaderOf(broker: KafkaBroker, topic: string): Promise<BrokerId> {
  const [first] = await partitionsOf(broker, topic)
  if (first === undefined) throw new Error(`${topic} has no partition`)
  return first.leader
}

export async function coordinatorOf(broker: KafkaBroker): Promise<BrokerId> {
  return await leaderOf(broker, OFFSETS)
}

/** The active controller. Metadata names any broker in KRaft, so the quorum itself is asked: DescribeQuorum version
 *  0. */
export async function controllerOf(broker: KafkaBroker): Promise<BrokerId> {
  for (const { host, port } of broker.hosts) {
    const leader = await askQuorum(host, port)
    if (leader !== undefined && leader > 0) return leader
  }
  throw new Error('No broker knows the controller')
}

/** Makes a topic whose one partition is led by that broker. */
export async function createTopicAt(broker: KafkaBroker, topic: string, leader: BrokerId): Promise<void> {
  const others = broker.nodes.map((_, index) => index + 1).filter((id) => id !== leader)
  await withAdmin(broker, async (admin) => {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, replicaAssignment: [{ partition: 0, replicas: [leader, ...others] }] }],
    })
  })
  await settled(broker, [topic])
}

/** Makes a topic of so many partitions, each on all brokers, and led by one after the other. */
export async function createTopicOnAll(broker: KafkaBroker, topic: string, partitions: number): Promise<void> {
  await withAdmin(broker, async (admin) => {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic,
          replicaAssignment: Array.from({ length: partitions }, (_, partition) => ({
            partition,
            replicas: replicasFrom(broker, partition),
          })),
        },
      ],
    })
  })
  await settled(broker, [topic])
}

/** Makes another broker the preferred leader of every partition, and has all of them elected: no connection breaks.
 *  `turn` counts the calls. What the cluster refuses because it still does the last one is left out. */
export async function electOthers(broker: KafkaBroker, topic: string, partitions: number, turn: number): Promise<void> {
  const partitionAssignment = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    replicas: replicasFrom(broker, partition + turn),
  }))
  await withAdmin(broker, async (admin) => {
    await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
  }).catch(() => {})
  await Promise.all(broker.hosts.map(async ({ host, port }) => await ask(host, port, ELECT_PREFERRED)))
}

/** The brokers in turn, beginning with another one for each number. */
function replicasFrom(broker: KafkaBroker, first: number): BrokerId[] {
  return broker.nodes.map((_, index) => ((first + index) % broker.nodes.length) + 1)
}

/** ElectLeaders (key 43) version 1: the preferred leaders (type 0) of all partitions, within 5 s; correlation 1, no
 *  client id. */
const ELECT_PREFERRED = sized(
  Buffer.from([0, 43, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x13, 0x88]),
)

/** Takes the partition away from the broker that leads it, which makes another one the leader; then lets it follow.
 *  Resolves to the new leader. */
export async function moveLeader(broker: KafkaBroker, topic: string): Promise<BrokerId> {
  const from = await leaderOf(broker, topic)
  const others = broker.nodes.map((_, index) => index + 1).filter((id) => id !== from)
  await assign(broker, topic, others)
  const to = await until(async () => {
    const leader = await leaderOf(broker, topic)
    return leader > 0 && leader !== from ? leader : undefined
  }, `${topic} led by another broker than ${from}`)
  await assign(broker, topic, [to, ...others.filter((id) => id !== to), from])
  await until(
    async () => (await partitionsOf(broker, topic)).every(({ isr }) => isr.length === broker.nodes.length) || undefined,
    `${topic} on all brokers again`,
  )
  return to
}

async function assign(broker: KafkaBroker, topic: string, replicas: BrokerId[]): Promise<void> {
  await until(
    async () => {
      await withAdmin(broker, async (admin) => {
        await admin.alterPartitionReassignments({
          topics: [{ topic, partitionAssignment: [{ partition: 0, replicas }] }],
        })
      })
      return true
    },
    `${topic} assigned to ${replicas.join(', ')}`,
  )
}

export async function moveCoordinator(broker: KafkaBroker): Promise<BrokerId> {
  return await moveLeader(broker, OFFSETS)
}

/** Resolves when every replica of the topics is in sync and every partition has a leader. */
export async function settled(broker: KafkaBroker, topics: readonly string[]): Promise<void> {
  await until(
    async () => {
      for (const topic of topics) {
        const partitions = await partitionsOf(broker, topic)
        if (partitions.length === 0) return undefined
        if (partitions.some(({ leader, isr, replicas }) => leader < 1 || isr.length < replicas.length)) return undefined
      }
      return true
    },
    `all replicas of ${topics.join(', ')} in sync`,
  )
}

interface PartitionFacts {
  readonly leader: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
}

async function partitionsOf(broker: KafkaBroker, topic: string): Promise<readonly PartitionFacts[]> {
  return await withAdmin(broker, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics.flatMap(({ partitions }) => partitions)
  })
}

/** Asks again and again until there is an answer; a question that fails is asked again. */
export async function until<T>(ask: () => Promise<T | undefined>, what: string, timeoutMs = 60_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
  throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause: last })
}

async function askQuorum(host: string, port: number): Promise<number | undefined> {
  const name = '__cluster_metadata'
  const compact = Buffer.concat([Buffer.from([name.length + 1]), Buffer.from(name)])
  const body = Buffer.concat([
    // Key 55, version 0, correlation 1, no client id, no tags; one topic with partition 0.
    Buffer.from([0, 55, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 2]),
    compact,
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]),
  ])
  const reply = await ask(host, port, sized(body))
  // Length 4, correlation 4, tags 1, error 2, topics 1, name, partitions 1, partition 4, error 2, leader 4.
  const at = 4 + 4 + 1 + 2 + 1 + compact.length + 1 + 4 + 2
  return reply !== undefined && reply.length >= at + 4 ? reply.readInt32BE(at) : undefined
}

function sized(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

async function ask(host: string, port: number, request: Buffer): Promise<Buffer | undefined> {
  return await new Promise((resolve) => {
    const socket = net.connect({ host, port })
    const parts: Buffer[] = []
    const end = (reply: Buffer | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reply)
    }
    const timer = setTimeout(() => end(undefined), 3000)
    socket.on('connect', () => socket.write(request))
    socket.on('data', (part: Buffer) => {
      parts.push(part)
      const all = Buffer.concat(parts)
      if (all.length >= 4 && all.length >= 4 + all.readInt32BE(0)) end(all)
    })
    socket.on('error', () => end(undefined))
  })
}
