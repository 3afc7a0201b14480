import { setTimeout as sleep } from 'node:timers/promises'
import { createDeferred, type Deferred } from '@oslo-messaging/core/driver'
import { ClientFault, type PartitionOffset, type TopicPartition } from '../port/client-port.ts'
import { STRATEGIES } from '../port/group-assignment.ts'
import { ANSWER_MS, byTopic, type Cluster, isAway } from './cluster.ts'
import type { Lane } from './connections.ts'
import { faultOf } from './fault.ts'
import type { JoinAnswer, LibraryConnection } from './library.ts'
import { encodeAssignment, readAssignment, readSubscription, subscriptions } from './subscription.ts'

const PROTOCOL = 'consumer'
/** How long the group waits for its members to come back. */
const REBALANCE_MS = 60_000
const ATTEMPTS = 6
const PAUSE_MS = { first: 50, longest: 1000 } as const
const NO_EPOCH = -1

/** The group moves: this member joins it again. */
const MOVES: ReadonlySet<string> = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'MEMBER_ID_REQUIRED',
])
/** Another broker looks after the group, or will in a moment. */
const COORDINATOR_MOVES: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
])

export interface MembershipOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly instance: string | undefined
  /** Its name in an earlier session, which the group may still know. */
  readonly formerMember: string | undefined
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** The group moves, or its coordinator does: not the end of the session. */
export function isMove({ type }: ClientFault): boolean {
  return MOVES.has(type) || COORDINATOR_MOVES.has(type)
}

/** One member of a consumer group: it joins, shows that it lives, stores positions and leaves. Every method but `leave`
 *  rejects with ClientFault. */
export class Membership {
  readonly #cluster: Cluster
  readonly #options: MembershipOptions
  /** The broker that looks after the group, while it is known. */
  #coordinator: number | undefined
  #id: string | undefined
  #generation = -1
  /** The owner has not been told yet what it has of the group now. */
  #isDealing = true
  #moved: Deferred<ClientFault> = createDeferred<ClientFault>()
  #moveFault: ClientFault | undefined
  #beating = new AbortController()
  #isClosing = false

  constructor(cluster: Cluster, options: MembershipOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#id = options.formerMember
  }

  /** Its name in the group, as soon as the broker waits for it. */
  get id(): string | undefined {
    return this.#id
  }

  /** Resolves to what this member has of the group, once it is dealt out. */
  async join(): Promise<readonly TopicPartition[]> {
    this.#isDealing = true
    for (let attempt = 1; ; attempt += 1) {
      try {
        const assigned = await this.#joinOnce()
        this.#moved = createDeferred<ClientFault>()
        this.#moved.promise.catch(() => {})
        this.#moveFault = undefined
        this.#beating = new AbortController()
        void this.#beat(this.#beating.signal)
        return assigned
      } catch (error) {
        const fault = faultOf(error)
        if (fault.type === 'UNKNOWN_MEMBER_ID') this.#id = undefined
        if (COORDINATOR_MOVES.has(fault.type) || isAway(fault)) this.#coordinator = undefined
        if (this.#isClosing || attempt === ATTEMPTS || !(isMove(fault) || isAway(fault))) throw fault
        await sleep(Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** attempt))
      }
    }
  }

  /** The owner knows what it has of the group: positions are stored in the name of this deal from now on. */
  begin(): void {
    this.#isDealing = false
  }

  /** Resolves when the group is dealt out anew, to the fault that says so. Rejects when this member cannot stay. */
  async moved(): Promise<ClientFault> {
    try {
      return await this.#moved.promise
    } finally {
      this.#beating.abort()
    }
  }

  /** The group is to be dealt out anew. */
  move(fault: ClientFault): void {
    this.#moveFault ??= fault
    if (fault.type === 'UNKNOWN_MEMBER_ID') this.#id = undefined
    if (COORDINATOR_MOVES.has(fault.type)) this.#coordinator = undefined
    this.#moved.resolve(fault)
  }

  /** Rejects with why the group is dealt out anew, if it is. Heartbeats go by themselves. */
  check(): void {
    if (this.#moveFault !== undefined) throw this.#moveFault
  }

  /** Resolves when all are stored, in the name of the deal that is in force now. Between two it rejects: the position
   *  of a partition that somebody else reads by then would move. */
  async commit(positions: readonly PartitionOffset[]): Promise<void> {
    const { group, instance = null } = this.#options
    if (this.#isDealing) throw new ClientFault('REBALANCE_IN_PROGRESS', 'The group is being dealt out anew')
    const [generation, id] = [this.#generation, this.#id ?? '']
    const topics = byTopic(positions, ({ partition, offset, note = null }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: NO_EPOCH,
      committedMetadata: note,
    }))
    await this.#ask((connection) =>
      this.#cluster.library.offsetCommitV8.api.async(connection, group, generation, id, instance, topics),
    )
  }

  /** Where the group stands in these partitions; those in which it does not are left out. */
  async committed(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    return await this.#cluster.committed(await this.#find(), this.#options.group, partitions)
  }

  /** Leaves the group, unless it is a static member's place. Never rejects. */
  async leave(): Promise<void> {
    this.#isClosing = true
    this.#beating.abort()
    this.#moved.resolve(new ClientFault('Closed', 'The consumer was closed'))
    const id = this.#id
    if (id === undefined || this.#options.instance !== undefined) return
    this.#id = undefined
    // On a connection of its own: an answer that the other one waits for may take its time.
    await this.#ask(
      (connection) => this.#cluster.library.leaveGroupV4.api.async(connection, this.#options.group, [{ memberId: id }]),
      ANSWER_MS,
      'leave',
    ).catch(() => {
      // It has left already, or the group gives it up when its session times out.
    })
  }

  async #joinOnce(): Promise<readonly TopicPartition[]> {
    const { group, topics, instance = null } = this.#options
    const { syncGroupV5 } = this.#cluster.library
    const answer = await this.#ask((connection) => this.#join(connection), REBALANCE_MS + ANSWER_MS)
    this.#id = answer.memberId
    if (this.#isClosing) throw new ClientFault('Closed', 'The consumer was closed')
    const assignments = answer.leader === this.#id ? await this.#assign(answer) : []
    const { assignment } = await this.#ask(
      (connection) =>
        syncGroupV5.api.async(
          connection,
          group,
          answer.generationId,
          answer.memberId,
          instance,
          PROTOCOL,
          answer.protocolName,
          assignments,
        ),
      REBALANCE_MS + ANSWER_MS,
    )
    this.#generation = answer.generationId
    return readAssignment(assignment).filter(({ topic }) => topics.includes(topic))
  }

  /** A member without a name is given one and asked to come again by it. */
  async #join(connection: LibraryConnection): Promise<JoinAnswer> {
    const { group, sessionTimeoutMs, topics, instance = null } = this.#options
    const { joinGroupV7 } = this.#cluster.library
    const ask = async (id: string): Promise<JoinAnswer> =>
      await joinGroupV7.api.async(
        connection,
        group,
        sessionTimeoutMs,
        REBALANCE_MS,
        id,
        instance,
        PROTOCOL,
        subscriptions(topics),
      )
    if (this.#id !== undefined) return await ask(this.#id)
    try {
      return await ask('')
    } catch (error) {
      const name = (error as { readonly response?: { readonly memberId?: string } } | null)?.response?.memberId
      if (faultOf(error).type !== 'MEMBER_ID_REQUIRED' || name === undefined) throw error
      this.#id = name
      if (this.#isClosing) throw new ClientFault('Closed', 'The consumer was closed')
      return await ask(name)
    }
  }

  async #assign({
    members,
    protocolName,
  }: JoinAnswer): Promise<readonly { readonly memberId: string; readonly assignment: Buffer }[]> {
    const strategy = STRATEGIES.find(({ name }) => name === protocolName)
    if (strategy === undefined)
      throw new ClientFault('INCONSISTENT_GROUP_PROTOCOL', `The group uses ${protocolName}, which is not known here`)
    const wishes = members.map(({ memberId, metadata }) => readSubscription(memberId, metadata))
    const topics = [...new Set(wishes.flatMap((member) => member.topics))]
    // Topics that do not exist are nobody's: whoever reads them makes them, and the group is dealt out again.
    await this.#cluster.refresh(topics)
    const partitions = new Map(
      topics.map((topic) => [topic, this.#cluster.partitionsOf(topic).map(({ partitionId }) => partitionId)]),
    )
    return [...strategy.rule(wishes, partitions)].map(([memberId, assignment]) => ({
      memberId,
      assignment: encodeAssignment(strategy.version, assignment),
    }))
  }

  /** Shows the group that this member lives, until it moves. Never rejects. */
  async #beat(signal: AbortSignal): Promise<void> {
    const { group, instance = null, heartbeatIntervalMs } = this.#options
    const { heartbeatV4 } = this.#cluster.library
    for (let failures = 0; !signal.aborted;) {
      await sleep(heartbeatIntervalMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#ask((connection) =>
          heartbeatV4.api.async(connection, group, this.#generation, this.#id ?? '', instance),
        )
        failures = 0
      } catch (error) {
        const fault = faultOf(error)
        failures += 1
        if (signal.aborted) return
        if (MOVES.has(fault.type)) this.move(fault)
        else if (failures === ATTEMPTS || fault.type === 'BrokerSilent' || !(isMove(fault) || isAway(fault)))
          this.#moved.reject(fault)
        this.#coordinator = undefined
      }
    }
  }

  async #find(): Promise<number> {
    this.#coordinator ??= await this.#cluster.coordinatorOf(this.#options.group)
    return this.#coordinator
  }

  async #ask<T>(
    question: (connection: LibraryConnection) => Promise<T>,
    patienceMs: number = ANSWER_MS,
    lane: Lane = 'control',
  ): Promise<T> {
    return await this.#cluster.ask(await this.#find(), lane, question, patienceMs)
  }
}
