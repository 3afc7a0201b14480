/** What this driver needs of a Kafka client, as small interfaces. `kafkajs/` is one implementation, the scripted one of
 *  the tests another. What is wrong with one topic is said of that topic only: a question about several, or a request
 *  that several share, never fails one of them for another. After `disconnect` a port opens no connection any more,
 *  whatever was under way.
 *  Offsets are numbers: exact up to 2^53, which a partition that stores a million records a second reaches after 285
 *  years. */

export interface KafkaClient {
  createProducer(options: ProducerPortOptions): ProducerPort
  createConsumer(options: ConsumerPortOptions): ConsumerPort
  createAdmin(): AdminPort
}

// --- producing -------------------------------------------------------------------------------------------------------

export type CompressionCodec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface ProducerPortOptions {
  readonly compression: CompressionCodec
  /** Number the requests, so that the broker stores each once although it arrives twice. Needs a permission on brokers
   *  before 3.0. */
  readonly idempotent: boolean
  /** How long the broker may take to have all replicas confirm, milliseconds. */
  readonly timeoutMs: number
}

/** What a header holds. Other programs write what they like, also what is no text. */
export type HeaderValue = string | Buffer

export interface OutgoingRecord {
  readonly key?: Buffer | null
  readonly value: Buffer | null
  /** Several values of one name make several headers. */
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
}

export interface ProduceRequest {
  readonly topic: string
  /** All records go into this partition; absent: one that has a leader, another one for each request. */
  readonly partition?: number
  readonly records: readonly OutgoingRecord[]
}

/** One producer session. Requests may be under way for several topics at once, one for each, or one for each partition
 *  that is named. It does not retry and does not reconnect by itself for longer than one call: the driver owns
 *  recovery. */
export interface ProducerPort {
  /** Rejects with ClientFault. */
  connect(): Promise<void>
  /** One request for one partition, confirmed by all replicas. Resolves when the partition has every record.
   *  Rejects with ClientFault, which says whether anything may have been stored and which partition was tried. */
  produce(request: ProduceRequest): Promise<void>
  /** How many partitions a topic has, with or without a leader; one that the broker makes has them afterwards. Rejects
   *  with ClientFault. */
  partitions(topic: string): Promise<number>
  /** The last request of this partition is not repeated although its outcome is unknown. The next one is numbered so
   *  that the broker takes it for a new one, whatever became of that; other partitions are not concerned. */
  giveUp(partition: TopicPartition): void
  /** Ends the session at once; what is under way rejects. Never rejects. */
  disconnect(): Promise<void>
}

// --- consuming -------------------------------------------------------------------------------------------------------

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionOffset extends TopicPartition {
  /** The next record to read. */
  readonly offset: number
  /** What its owner wrote beside it, 4096 bytes at most by default. Absent: nothing. */
  readonly note?: string
}

export interface ConsumerPortOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** Most bytes of one fetch and partition. */
  readonly maxBytesPerPartition: number
  /** Most bytes of one fetch, and of one batch when it is decompressed. */
  readonly maxBytes: number
  /** Whether the checksums of batches are compared. */
  readonly checksCrc: boolean
  /** How long a fetch waits for the first record, milliseconds. */
  readonly maxWaitMs: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Joins as a static member of this name (`group.instance.id`), and stays in the group when the session ends: whoever
   *  comes by that name within the session timeout takes its place. */
  readonly instance?: string
  /** The name of this listener's last session in the group, which could perhaps not leave it: the group would wait for
   *  it until its session times out. This session joins under that name, or under a new one if the group does not know
   *  it any more. */
  readonly formerMember?: string
  readonly handlers: ConsumerHandlers
}

/** What a consumer session tells its owner. */
export interface ConsumerHandlers {
  /** The group gave this member these partitions, all it has from now on. Nothing is fetched before it returns; `seek`
   *  and `pause` inside it hold for the first fetch. */
  onAssigned(partitions: readonly TopicPartition[]): void
  /** The group is dealt out anew, and this member is about to ask for its share. Until this resolves the positions of
   *  its present partitions can still be stored. Called once for each new deal, not before the first. Never rejects. */
  onRejoin(): Promise<void>
  /** Records of one partition, in order. The next ones of that partition come when it has resolved and the partition is
   *  not paused. A fetch that brings no record, and yet reaches further, is told as well: else a position would stay
   *  before what is nobody's to read. Records above the last `resolve` are fetched again. A rejection with the fault of
   *  a heartbeat or commit lets the client join the group again. */
  onBatch(batch: FetchedBatch): Promise<void>
  /** The session is over and will not mend itself. */
  onLost(fault: ClientFault): void
}

export interface FetchedRecord {
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** The first value of each name, as text. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** All of them, as they are stored; absent: none. */
  readonly rawHeaders?: readonly (readonly [string, Buffer])[]
}

export interface FetchedBatch extends TopicPartition {
  /** Empty when all that is stored there is nobody's to read. */
  readonly records: readonly FetchedRecord[]
  /** Where the next fetch goes on: behind the last record, or further: marks of transactions, and records that were
   *  taken back or compacted, have offsets as well. */
  readonly next: number
  /** Where the partition ended when this was fetched. */
  readonly end: number
  /** What the records keep in memory. */
  readonly bytes: number
  /** Records up to this offset are done with: the next fetch begins after it. */
  resolve(offset: number): void
  /** Says to the group that this member lives. Rejects with ClientFault when the group moves. */
  heartbeat(): Promise<void>
  /** Stores the group's position of this partition, with a note beside it. Resolves only when it is stored; rejects
   *  with ClientFault, and then it may be stored nevertheless. */
  commit(offset: number, note: string): Promise<void>
  /** The partition was moved by `seek` since the fetch, or the session ends: these records are not wanted. */
  isStale(): boolean
}

export interface ConsumerPort {
  /** Its name in the group, once it has joined. */
  readonly member: string | undefined
  /** Joins the group, and has the broker make missing topics with its own defaults if it makes topics at all. Resolves
   *  after the first `onAssigned`. Rejects with ClientFault, UNKNOWN_TOPIC_OR_PARTITION when a topic is missing and
   *  stays so. */
  start(): Promise<void>
  /** Stores positions of the group, also outside a batch. Resolves only when all are stored; rejects with ClientFault,
   *  and then they may be stored nevertheless. */
  commit(positions: readonly PartitionOffset[]): Promise<void>
  /** Where the next fetch of a partition begins. */
  seek(position: PartitionOffset): void
  pause(partition: TopicPartition): void
  resume(partition: TopicPartition): void
  /** Leaves the group and ends the session without waiting for an open fetch. Never rejects. Also while `start` is
   *  under way, which rejects then: nothing of it goes on, and nobody stays in the group. */
  disconnect(): Promise<void>
}

// --- asking ----------------------------------------------------------------------------------------------------------

export interface PartitionBounds extends TopicPartition {
  /** Oldest record kept. */
  readonly low: number
  /** Where the next record will be stored. */
  readonly high: number
}

export interface AdminPort {
  connect(): Promise<void>
  /** Partitions without a leader are left out: nobody knows where they end. Rejects with ClientFault
   *  UNKNOWN_TOPIC_OR_PARTITION when there is no such topic; asking does not make it. */
  bounds(topic: string): Promise<readonly PartitionBounds[]>
  /** In each partition, the first record that is not older than this time, milliseconds since 1970; partitions that
   *  have none are left out. Rejects as `bounds` does. */
  offsetsAt(topic: string, timestamp: number): Promise<readonly PartitionOffset[]>
  /** Stored positions of the group; partitions without one are left out. Negative: a client has stored that its
   *  position was out of range, and that it begins at the oldest record. */
  committed(group: string, topics: readonly string[]): Promise<readonly PartitionOffset[]>
  /** Every topic but Kafka's own. */
  topics(): Promise<readonly string[]>
  /** Every consumer group, with how many members it has now. */
  groups(): Promise<readonly { readonly group: string; readonly members: number }[]>
  /** Copies of each partition, and settings of the topic. Rejects as `bounds` does. */
  topicFacts(topic: string): Promise<TopicFacts>
  /** Settings of a broker of the cluster. Rejects with ClientFault CLUSTER_AUTHORIZATION_FAILED for a user that may not
   *  ask. */
  brokerSettings(): Promise<Readonly<Record<string, string>>>
  /** What the clock of the active controller says, milliseconds since 1970. Rejects with ClientFault
   *  UNSUPPORTED_VERSION for a Kafka without KRaft, CLUSTER_AUTHORIZATION_FAILED for a user that may not ask. */
  controllerClock(): Promise<number>
  /** Forgets a group and its positions. Rejects with ClientFault GROUP_ID_NOT_FOUND, or NON_EMPTY_GROUP while it has
   *  members. */
  deleteGroup(group: string): Promise<void>
  disconnect(): Promise<void>
}

/** What Kafka says of a topic. */
export interface TopicFacts {
  readonly partitions: readonly {
    readonly partition: number
    readonly hasLeader: boolean
    readonly replicas: number
    readonly inSync: number
  }[]
  /** By Kafka's names: `min.insync.replicas`. */
  readonly settings: Readonly<Record<string, string>>
}

// --- failing ---------------------------------------------------------------------------------------------------------

export interface ClientFaultOptions {
  readonly cause?: unknown
  readonly written?: boolean
  readonly partition?: number | undefined
  readonly host?: string | undefined
  readonly batch?: BatchRange
}

/** Offsets of the first and the last record of a stored batch. */
export interface BatchRange {
  readonly first: number
  readonly last: number
}

/** How every call of a client fails. `type` is what the innermost cause says: the broker's error name
 *  (`MESSAGE_TOO_LARGE`), else the system's code (`ECONNREFUSED`), else the name of the client's error. Whether it can
 *  pass is decided by `map-error.ts`, never by the client. */
export class ClientFault extends Error {
  readonly type: string
  /** False: no byte of the request left this process. */
  readonly written: boolean
  /** The partition a produce request was for, once one was chosen. */
  readonly partition: number | undefined
  /** `host:port`, where known. */
  readonly host: string | undefined
  /** With BatchUnreadable: which one, where known. */
  readonly batch: BatchRange | undefined

  constructor(type: string, message: string, options: ClientFaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ClientFault'
    this.type = type
    this.written = options.written ?? false
    this.partition = options.partition
    this.host = options.host
    this.batch = options.batch
  }
}
