import {
  type AdminPort,
  ClientFault,
  type ConsumerPort,
  type ConsumerPortOptions,
  type FetchedBatch,
  type FetchedRecord,
  type KafkaClient,
  type OutgoingRecord,
  type PartitionOffset,
  type ProduceRequest,
  type ProducerPort,
  type ProducerPortOptions,
  type TopicPartition,
} from '../../src/port/client-port.ts'
import { assignRoundRobin } from '../../src/port/group-assignment.ts'

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** A second implementation of the client port: a Kafka in memory whose every answer a test may script. It shows that
 *  the driver needs nothing but the port. */
export class ScriptedKafka implements KafkaClient {
  readonly topics = new Map<string, FetchedRecord[][]>()
  readonly committed = new Map<string, number>()
  /** What was stored beside those. */
  readonly notes = new Map<string, string>()
  /** What went over the wire, oldest first. */
  readonly requests: ProduceRequest[] = []
  readonly commits: PartitionOffset[] = []
  readonly consumers: ScriptedConsumer[] = []
  readonly producers: ScriptedProducer[] = []
  /** Runs before a request is stored; throws to refuse it. */
  beforeStore: (request: ProduceRequest) => Promise<void> | void = () => {}
  /** Runs after a request is stored; throws to lose the answer. */
  afterStore: (request: ProduceRequest) => Promise<void> | void = () => {}
  /** Runs before the partitions of a topic are told; throws to refuse it. */
  beforeCount: (topic: string) => Promise<void> | void = () => {}
  onConnect: (options: ProducerPortOptions) => Promise<void> | void = () => {}
  onJoin: (options: ConsumerPortOptions) => Promise<void> | void = () => {}
  /** Runs when the stored positions of a group are known and not yet told. */
  beforeAnswer: () => Promise<void> | void = () => {}
  onCommit: (positions: readonly PartitionOffset[]) => Promise<void> | void = () => {}
  /** Runs when positions are stored; throws to lose the answer. */
  afterCommit: (positions: readonly PartitionOffset[]) => Promise<void> | void = () => {}
  /** Runs when a consumer ends. */
  beforeDisconnect: () => void = () => {}
  /** Records of one fetch. */
  fetchSize = 1000
  /** How long connecting and joining take. */
  latencyMs = 0

  createTopic(topic: string, partitions = 1): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => []),
    )
  }

  /** Stores records as some other program would. */
  store(topic: string, values: readonly (string | null)[], partition = 0, timestamp = 0): void {
    const log = this.log({ topic, partition })
    for (const value of values)
      log.push({
        offset: log.length,
        timestamp,
        key: null,
        value: value === null ? null : Buffer.from(value),
        headers: undefined,
      })
    this.wake()
  }

  log({ topic, partition }: TopicPartition): FetchedRecord[] {
    if (!this.topics.has(topic)) this.createTopic(topic)
    const log = this.topics.get(topic)?.[partition]
    if (log === undefined) throw new ClientFault('UNKNOWN_TOPIC_OR_PARTITION', `no ${topic}/${partition}`)
    return log
  }

  append(partition: TopicPartition, records: readonly OutgoingRecord[]): void {
    const log = this.log(partition)
    for (const { key, value, headers } of records)
      log.push({
        offset: log.length,
        timestamp: 0,
        key: key ?? null,
        value,
        headers: headers as Record<string, string> | undefined,
      })
    this.wake()
  }

  async travel(): Promise<void> {
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs))
  }

  wake(): void {
    for (const consumer of this.consumers) consumer.poll()
  }

  createProducer(options: ProducerPortOptions): ScriptedProducer {
    const producer = new ScriptedProducer(this, options)
    this.producers.push(producer)
    return producer
  }

  createConsumer(options: ConsumerPortOptions): ConsumerPort {
    const consumer = new ScriptedConsumer(this, options)
    this.consumers.push(consumer)
    return consumer
  }

  createAdmin(): AdminPort {
    return {
      connect: async () => await Promise.resolve(),
      disconnect: async () => await Promise.resolve(),
      bounds: async (topic) => {
        await Promise.resolve()
        const logs = this.topics.get(topic)
        if (logs === undefined) throw new ClientFault('UNKNOWN_TOPIC_OR_PARTITION', `no topic ${topic}`)
        return logs.map((log, partition) => ({ topic, partition, low: 0, high: log.length }))
      },
      topics: async () => await Promise.resolve([...this.topics.keys()]),
      groups: async () => await Promise.resolve([]),
      topicFacts: async (topic) =>
        await Promise.resolve({
          partitions: (this.topics.get(topic) ?? []).map((_, partition) => ({
            partition,
            hasLeader: true,
            replicas: 1,
            inSync: 1,
          })),
          settings: {},
        }),
      brokerSettings: async () => await Promise.resolve({}),
      controllerClock: async () => await Promise.resolve(Date.now()),
      deleteGroup: async () => await Promise.resolve(),
      offsetsAt: async (topic, timestamp) =>
        await Promise.resolve(
          (this.topics.get(topic) ?? []).flatMap((log, partition) => {
            const found = log.find((record) => record.timestamp >= timestamp)
            return found === undefined ? [] : [{ topic, partition, offset: found.offset }]
          }),
        ),
      committed: async (group, topics) => {
        await Promise.resolve()
        const positions = topics.flatMap((topic) =>
          (this.topics.get(topic) ?? []).flatMap((_, partition) => {
            const key = `${group} ${topic}/${partition}`
            const [offset, note] = [this.committed.get(key), this.notes.get(key)]
            return offset === undefined ? [] : [{ topic, partition, offset, ...(note === undefined ? {} : { note }) }]
          }),
        )
        await this.beforeAnswer()
        return positions
      },
    }
  }

  /** Says to every member that the group will be dealt out anew; resolves when all of them are ready for it. A broker
   *  does both at once: `rejoin`. */
  async announce(group: string): Promise<void> {
    const members = this.consumers.filter((consumer) => consumer.isMember && consumer.options.group === group)
    await Promise.all(members.map(async ({ options }) => await options.handlers.onRejoin()))
  }

  async rejoin(group: string): Promise<void> {
    await this.announce(group)
    this.rebalance(group)
  }

  /** Gives every member of the group its share again; partitions go to the members in turn. */
  rebalance(group: string): void {
    const members = this.consumers.filter((consumer) => consumer.isMember && consumer.options.group === group)
    const partitions = new Map(
      [...new Set(members.flatMap(({ options }) => options.topics))].map((topic) => [
        topic,
        [...(this.topics.get(topic) ?? []).keys()],
      ]),
    )
    const wishes = members.map(({ options }, index) => ({ id: `member-${index}`, topics: options.topics }))
    const hands = assignRoundRobin(wishes, partitions)
    members.forEach((member, index) => {
      const hand = Object.entries(hands.get(`member-${index}`) ?? {})
      member.assign(hand.flatMap(([topic, numbers]) => numbers.map((partition) => ({ topic, partition }))))
    })
  }
}

export class ScriptedProducer implements ProducerPort {
  readonly options: ProducerPortOptions
  readonly #kafka: ScriptedKafka
  /** The number of the next record of each partition, as this side counts. A request that fails takes its numbers
   *  back. */
  readonly #next = new Map<string, number>()
  /** The same as the broker counts: by what it has stored. */
  readonly #expected = new Map<string, number>()
  #turn = 0
  isConnected = false

  constructor(kafka: ScriptedKafka, options: ProducerPortOptions) {
    this.#kafka = kafka
    this.options = options
  }

  async connect(): Promise<void> {
    await this.#kafka.travel()
    await this.#kafka.onConnect(this.options)
    this.isConnected = true
  }

  async produce(request: ProduceRequest): Promise<void> {
    if (!this.isConnected) throw new ClientFault('Closed', 'not connected')
    const count = this.#kafka.topics.get(request.topic)?.length ?? 1
    const partition = request.partition ?? this.#turn++ % count
    const chosen = { ...request, partition }
    this.#kafka.requests.push(chosen)
    await this.#kafka.beforeStore(chosen)
    if (!this.#isRepetition(chosen)) {
      this.#kafka.append(chosen, request.records)
      await this.#kafka.afterStore(chosen)
    }
    this.#next.set(keyOf(chosen), (this.#next.get(keyOf(chosen)) ?? 0) + request.records.length)
  }

  async partitions(topic: string): Promise<number> {
    if (!this.isConnected) throw new ClientFault('Closed', 'not connected')
    await this.#kafka.beforeCount(topic)
    return this.#kafka.topics.get(topic)?.length ?? 1
  }

  giveUp(partition: TopicPartition): void {
    this.#next.delete(keyOf(partition))
    this.#expected.delete(keyOf(partition))
  }

  /** The broker has stored these numbers: whatever comes with them now is confirmed and thrown away. */
  #isRepetition(chosen: ProduceRequest & TopicPartition): boolean {
    if (!this.options.idempotent) return false
    const key = keyOf(chosen)
    const first = this.#next.get(key) ?? 0
    const expected = this.#expected.get(key) ?? first
    if (first < expected) return true
    if (first > expected) throw new ClientFault('OUT_OF_ORDER_SEQUENCE_NUMBER', `${first} instead of ${expected}`)
    this.#expected.set(key, first + chosen.records.length)
    return false
  }

  async disconnect(): Promise<void> {
    this.isConnected = false
    await Promise.resolve()
  }
}

export class ScriptedConsumer implements ConsumerPort {
  readonly options: ConsumerPortOptions
  readonly #kafka: ScriptedKafka
  readonly #positions = new Map<string, number>()
  readonly paused = new Set<string>()
  readonly #busy = new Set<string>()
  /** Something happened to them while they were busy. */
  readonly #stirred = new Set<string>()
  #assigned: readonly TopicPartition[] = []
  #generation = 0
  isMember = false
  readonly member: string
  heartbeats = 0
  /** Records the driver has taken over. */
  resolved = 0
  /** Batches handed to the driver. */
  fetches = 0
  /** Why it joined the group again. */
  readonly refusals: string[] = []

  constructor(kafka: ScriptedKafka, options: ConsumerPortOptions) {
    this.#kafka = kafka
    this.options = options
    this.member = `member-${kafka.consumers.length}`
  }

  async start(): Promise<void> {
    await this.#kafka.travel()
    await this.#kafka.onJoin(this.options)
    for (const topic of this.options.topics) if (!this.#kafka.topics.has(topic)) this.#kafka.createTopic(topic)
    this.isMember = true
    this.#kafka.rebalance(this.options.group)
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#assigned = partitions
    this.#generation += 1
    this.#positions.clear()
    for (const partition of partitions) {
      this.#positions.set(keyOf(partition), this.#kafka.committed.get(`${this.options.group} ${keyOf(partition)}`) ?? 0)
    }
    this.options.handlers.onAssigned(partitions)
    this.poll()
  }

  /** Ends the session as a broken client would. */
  crash(fault: ClientFault): void {
    this.isMember = false
    this.options.handlers.onLost(fault)
  }

  poll(): void {
    for (const partition of this.#assigned) void this.#read(partition)
  }

  async #read(partition: TopicPartition): Promise<void> {
    const key = keyOf(partition)
    if (this.#busy.has(key)) return void this.#stirred.add(key)
    this.#busy.add(key)
    try {
      // A fetch takes a turn of the event loop, as any network does.
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#wants(key)) {
        const from = this.#positions.get(key) ?? 0
        const records = this.#kafka.log(partition).slice(from, from + this.#kafka.fetchSize)
        if (records.length === 0) return
        const generation = this.#generation
        this.#stirred.delete(key)
        this.fetches += 1
        try {
          await this.options.handlers.onBatch(this.#batch(partition, records, from))
        } catch (error) {
          // The group refused a heartbeat or a commit: the member joins again.
          if (!(error instanceof ClientFault)) throw error
          this.refusals.push(error.type)
          await this.#kafka.rejoin(this.options.group)
        }
        await new Promise((resolve) => setImmediate(resolve))
        // Left where it was on purpose: it is fetched again when something happens.
        const isLeft = this.#generation === generation && this.#positions.get(key) === from
        if (isLeft && !this.#stirred.has(key)) return
      }
    } finally {
      this.#busy.delete(key)
    }
  }

  #wants(key: string): boolean {
    return this.isMember && !this.paused.has(key) && this.#assigned.some((partition) => keyOf(partition) === key)
  }

  #batch(partition: TopicPartition, records: readonly FetchedRecord[], from: number): FetchedBatch {
    const key = keyOf(partition)
    return {
      ...partition,
      records,
      next: (records.at(-1)?.offset ?? from) + 1,
      end: this.#kafka.log(partition).length,
      bytes: records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
      resolve: (offset) => {
        this.resolved += offset + 1 - (this.#positions.get(key) ?? from)
        this.#positions.set(key, offset + 1)
      },
      heartbeat: async () => {
        this.heartbeats += 1
        await Promise.resolve()
      },
      commit: async (offset, note) =>
        await this.commit([{ ...partition, offset, ...(note === undefined ? {} : { note }) }]),
      // As a real client: it knows its own seeks and its end, not whose the partition is by now.
      isStale: () => !this.isMember || (this.#positions.get(key) ?? from) < from,
    }
  }

  async commit(positions: readonly PartitionOffset[]): Promise<void> {
    if (positions.length === 0) return
    if (!this.isMember) throw new ClientFault('UNKNOWN_MEMBER_ID', 'not a member')
    await this.#kafka.onCommit(positions)
    for (const position of positions) {
      this.#kafka.commits.push(position)
      const key = `${this.options.group} ${keyOf(position)}`
      this.#kafka.committed.set(key, position.offset)
      if (position.note === undefined) this.#kafka.notes.delete(key)
      else this.#kafka.notes.set(key, position.note)
    }
    await this.#kafka.afterCommit(positions)
  }

  seek(position: PartitionOffset): void {
    this.#positions.set(keyOf(position), position.offset)
    this.poll()
  }

  pause(partition: TopicPartition): void {
    this.paused.add(keyOf(partition))
  }

  resume(partition: TopicPartition): void {
    this.paused.delete(keyOf(partition))
    this.poll()
  }

  async disconnect(): Promise<void> {
    if (!this.isMember) return
    this.#kafka.beforeDisconnect()
    this.isMember = false
    this.#assigned = []
    this.#kafka.rebalance(this.options.group)
    await Promise.resolve()
  }
}
