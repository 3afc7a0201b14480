import { ClientFault, type PartitionOffset, type TopicPartition } from '../port/client-port.ts'
import type { PartitionLeader } from '../port/shared-requests.ts'
import type { ClusterSettings } from '../settings.ts'
import { type Address, addressOf, Connections, type Lane } from './connections.ts'
import { brokerErrorName, faultOf } from './fault.ts'
import type { Library, LibraryConnection, MetadataAnswer } from './library.ts'

/** How long a broker may take for an answer. */
export const ANSWER_MS = 7000
/** What is known of topics is asked for again after so long, and sooner where something is wrong with it. */
const FRESH_MS = 300_000
const FAULTY_MS = 2000
const NO_LEADER = -1
const UNKNOWN = -1
const READ_COMMITTED = 1
const COORDINATOR_ATTEMPTS = 8
const COORDINATOR_PAUSE_MS = 100

/** What is known of a topic: its partitions, or what is wrong with it. */
interface TopicFacts {
  readonly partitions: readonly PartitionLeader[]
  readonly fault: ClientFault | undefined
  readonly staleAt: number
}

/** The brokers of a cluster and what they have said of topics, for one producer, consumer or admin alone.
 *  It does not connect again by itself: the next question does. Every method rejects with ClientFault. */
export class Cluster {
  readonly library: Library
  readonly #settings: ClusterSettings
  readonly #connections: Connections
  readonly #brokers = new Map<number, Address>()
  readonly #topics = new Map<string, TopicFacts>()
  #turn = Math.floor(Math.random() * 0xffff)

  constructor(library: Library, settings: ClusterSettings) {
    this.library = library
    this.#settings = settings
    this.#connections = new Connections(library, settings)
  }

  /** Resolves when a broker has said which others there are. */
  async connect(): Promise<void> {
    await this.refresh([])
  }

  /** What a broker says of topics, null: of all, and of the brokers there are. */
  async metadata(topics: readonly string[] | null, create: boolean = false): Promise<MetadataAnswer> {
    const answer = await this.askAny((connection) => this.#metadata(connection, topics, create))
    this.#brokers.clear()
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port })
    return answer
  }

  /** Asks for topics, known ones too. What is wrong with one is said of that one only. */
  async refresh(topics: readonly string[], { create = false }: { readonly create?: boolean } = {}): Promise<void> {
    for (const topic of (await this.metadata(topics, create)).topics) {
      if (topic.name === null) continue
      const partitions = topic.partitions
        .map(({ partitionIndex, leaderId, errorCode }) => ({
          partitionId: partitionIndex,
          leader: errorCode === 0 || this.errorName(errorCode) !== 'LEADER_NOT_AVAILABLE' ? leaderId : NO_LEADER,
        }))
        .toSorted((one, other) => one.partitionId - other.partitionId)
      const fault = topic.errorCode === 0 ? undefined : this.topicFault(topic.name, topic.errorCode)
      const isWell = fault === undefined && partitions.every(({ leader }) => leader !== NO_LEADER)
      const staleAt = performance.now() + (isWell ? FRESH_MS : FAULTY_MS)
      this.#topics.set(topic.name, { partitions, fault, staleAt })
    }
  }

  /** Asks for topics of which nothing is known, or nothing that still holds. */
  async know(topics: readonly string[], options: { readonly create?: boolean } = {}): Promise<void> {
    const now = performance.now()
    const stale = topics.filter((topic) => (this.#topics.get(topic)?.staleAt ?? 0) <= now)
    if (stale.length > 0) await this.refresh(stale, options)
  }

  /** What is known of these is asked for again before it is used. */
  doubt(topics: readonly string[]): void {
    for (const topic of topics) {
      const facts = this.#topics.get(topic)
      if (facts !== undefined) this.#topics.set(topic, { ...facts, staleAt: 0 })
    }
  }

  /** What is known of the partitions of a topic, by number; empty: there is no such topic, or something is wrong with
   *  it. */
  partitionsOf(topic: string): readonly PartitionLeader[] {
    return this.#topics.get(topic)?.partitions ?? []
  }

  faultOf(topic: string): ClientFault | undefined {
    return this.#topics.get(topic)?.fault
  }

  /** -1: nobody leads it, as far as is known. */
  leaderOf({ topic, partition }: TopicPartition): number {
    return this.partitionsOf(topic).find(({ partitionId }) => partitionId === partition)?.leader ?? NO_LEADER
  }

  /** What is known of some topic does not hold any more, or was never good. */
  isStale(topics: readonly string[]): boolean {
    const now = performance.now()
    return topics.some((topic) => (this.#topics.get(topic)?.staleAt ?? 0) <= now)
  }

  errorName(code: number): string {
    return brokerErrorName(this.library.protocolErrorsCodesById[code] ?? `UNKNOWN_${code}`)
  }

  /** The broker that looks after a group. One is chosen when a group is first used, which takes a moment. */
  async coordinatorOf(group: string): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { coordinators } = await this.askAny((connection) =>
          this.library.findCoordinatorV4.api.async(connection, 0, [group]),
        )
        const [found] = coordinators
        if (found === undefined) throw new ClientFault('GROUP_COORDINATOR_NOT_AVAILABLE', `Nobody leads group ${group}`)
        this.#brokers.set(found.nodeId, { host: found.host, port: found.port })
        return found.nodeId
      } catch (error) {
        const fault = faultOf(error)
        if (fault.type !== 'GROUP_COORDINATOR_NOT_AVAILABLE' || attempt === COORDINATOR_ATTEMPTS) throw fault
        await new Promise((resolve) => setTimeout(resolve, COORDINATOR_PAUSE_MS * attempt))
      }
    }
  }

  /** Asks one broker. One that owes its answer for longer than `patienceMs` has the connection cut: its process is
   *  frozen, or the way to it is dead. */
  async ask<T>(
    node: number,
    lane: Lane,
    question: (connection: LibraryConnection) => Promise<T>,
    patienceMs: number = ANSWER_MS,
  ): Promise<T> {
    const address = this.#brokers.get(node)
    if (address === undefined) throw new ClientFault('BrokerUnknown', `No broker ${node} is known`)
    return await this.#connections.ask(address, lane, question, patienceMs)
  }

  /** Asks whoever answers: known brokers in turn, then those of the configuration. */
  async askAny<T>(question: (connection: LibraryConnection) => Promise<T>): Promise<T> {
    this.#turn += 1
    const known = [...this.#brokers.values()]
    const first = known.length === 0 ? 0 : this.#turn % known.length
    const candidates = [...known.slice(first), ...known.slice(0, first)]
    for (const broker of this.#settings.brokers) {
      const address = addressOf(broker)
      if (address !== undefined) candidates.push(address)
    }
    let last: ClientFault | undefined
    for (const address of candidates) {
      try {
        return await this.#connections.ask(address, 'control', question, ANSWER_MS)
      } catch (error) {
        last = faultOf(error)
        if (!isAway(last)) throw last
      }
    }
    throw last ?? new ClientFault('BrokerUnknown', 'No broker is known')
  }

  /** Sends a request whose bytes are written, and whose answer is read, by whoever asks. Its head has no tags. */
  async send(connection: LibraryConnection, key: number, version: number, body: Buffer): Promise<Buffer> {
    return await new Promise<Buffer>((resolve, reject) => {
      connection.send(
        key,
        version,
        () => this.library.Writer.create().append(body),
        (_correlation, _key, _version, { buffer, position }) => buffer.slice(position),
        false,
        false,
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer)
          else reject(error ?? new Error('There is no answer'))
        },
      )
    })
  }

  /** In each partition, the first offset that is not older than a time; -2: the oldest of all, -1: where the next one
   *  will be stored. Partitions without a leader are left out. */
  async offsets(partitions: readonly TopicPartition[], timestamp: bigint): Promise<readonly PartitionOffset[]> {
    const led = partitions.map((partition) => ({ ...partition, leader: this.leaderOf(partition) }))
    const leaders = [...new Set(led.map(({ leader }) => leader))].filter((leader) => leader !== NO_LEADER)
    const answers = await Promise.all(
      leaders.map(async (leader) => {
        const topics = byTopic(
          led.filter((each) => each.leader === leader),
          ({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: UNKNOWN, timestamp }),
        )
        return await this.ask(leader, 'control', (connection) =>
          this.library.listOffsetsV7.api.async(connection, UNKNOWN, READ_COMMITTED, topics),
        ).catch((error: unknown) => {
          this.doubt(partitions.map(({ topic }) => topic))
          throw error
        })
      }),
    )
    return answers.flatMap(({ topics }) =>
      topics.flatMap(({ name, partitions: found }) =>
        found.map(({ partitionIndex, offset }) => ({ topic: name, partition: partitionIndex, offset: Number(offset) })),
      ),
    )
  }

  /** Where a group stands in these partitions, as its coordinator says; those in which it does not are left out. */
  async committed(
    coordinator: number,
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionOffset[]> {
    if (partitions.length === 0) return []
    const topics = byTopic(partitions, ({ partition }) => partition).map(({ name, partitions: numbers }) => ({
      name,
      partitionIndexes: numbers,
    }))
    const { groups } = await this.ask(coordinator, 'control', (connection) =>
      this.library.offsetFetchV8.api.async(connection, [{ groupId: group, topics }], false),
    )
    return groups.flatMap((answer) =>
      answer.topics.flatMap(({ name, partitions: found }) =>
        found.flatMap(({ partitionIndex, committedOffset, metadata }) =>
          committedOffset === BigInt(UNKNOWN)
            ? []
            : [
                {
                  topic: name,
                  partition: partitionIndex,
                  offset: Number(committedOffset),
                  ...(metadata === null || metadata === '' ? {} : { note: metadata }),
                },
              ],
        ),
      ),
    )
  }

  async #metadata(
    connection: LibraryConnection,
    topics: readonly string[] | null,
    create: boolean,
  ): Promise<MetadataAnswer> {
    try {
      return await this.library.metadataV12.api.async(connection, topics, create)
    } catch (error) {
      // The library throws for any fault of any topic; the whole answer is beside it.
      const answer = (error as { readonly response?: MetadataAnswer } | null)?.response
      if (answer === undefined) throw error
      return answer
    }
  }

  /** Ends all connections, now and from now on. */
  close(): void {
    this.#connections.close()
  }

  topicFault(topic: string, code: number): ClientFault {
    const name = this.errorName(code)
    return new ClientFault(name, `The broker says ${name} of topic ${topic}`)
  }
}

/** The broker is not there, as against one that is there and refuses. */
export function isAway({ type }: ClientFault): boolean {
  return /^(E[A-Z]+|ConnectionClosed|RequestTimeout|BrokerSilent|BrokerUnknown)$/.test(type)
}

/** Partitions as several requests name them, by topic. */
export function byTopic<Partition extends TopicPartition, Part>(
  partitions: readonly Partition[],
  part: (partition: Partition) => Part,
): readonly { readonly name: string; readonly partitions: readonly Part[] }[] {
  return [...new Set(partitions.map(({ topic }) => topic))].map((name) => ({
    name,
    partitions: partitions.filter(({ topic }) => topic === name).map(part),
  }))
}
