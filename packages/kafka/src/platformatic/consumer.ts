import { setTimeout as sleep } from 'node:timers/promises'
import { createDeferred, type Deferred, systemClock } from '@oslo-messaging/core/driver'
import {
  ClientFault,
  type ConsumerPort,
  type ConsumerPortOptions,
  type PartitionOffset,
  type TopicPartition,
} from '../port/client-port.ts'
import type { Codecs } from '../port/codecs.ts'
import { within } from '../port/within.ts'
import type { Cluster } from './cluster.ts'
import { faultOf } from './fault.ts'
import { isMove, Membership } from './membership.ts'
import { Reading } from './reading.ts'

/** A topic the broker makes on the first question can be used by the third or so. */
const KNOW_ATTEMPTS = 12
const KNOW_WAIT_MS = 50
const MAY_PASS: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])
/** How often it is looked whether what is known of the topics still holds. */
const LOOK_MS = 1000
/** How long a join that is under way may end by itself, so that its member has a name by which it can leave. */
const JOIN_END_MS = 500
const LEAVE_MS = 3000

/** One session in a consumer group. */
export class PlatformaticConsumer implements ConsumerPort {
  readonly #cluster: Cluster
  readonly #options: ConsumerPortOptions
  readonly #membership: Membership
  readonly #reading: Reading
  readonly #joined: Deferred<void> = createDeferred<void>()
  /** Partitions of each topic when the group was dealt out. */
  #dealt: ReadonlyMap<string, number> = new Map()
  #look: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #lost: ClientFault | undefined
  #isClosing = false

  constructor(cluster: Cluster, codecs: Codecs, options: ConsumerPortOptions) {
    const { group, topics, instance, formerMember, sessionTimeoutMs, heartbeatIntervalMs, handlers } = options
    this.#cluster = cluster
    this.#options = options
    this.#membership = new Membership(cluster, {
      group,
      topics,
      instance,
      formerMember,
      sessionTimeoutMs,
      heartbeatIntervalMs,
    })
    this.#reading = new Reading({
      ...options,
      cluster,
      codecs,
      membership: this.#membership,
      onBatch: async (batch) => await handlers.onBatch(batch),
      onFault: (fault) => (isMove(fault) ? this.#membership.move(fault) : this.#onLoss(fault)),
    })
    this.#joined.promise.catch(() => {})
  }

  get member(): string | undefined {
    return this.#membership.id
  }

  async start(): Promise<void> {
    try {
      await this.#cluster.connect()
      await this.#knowTopics()
    } catch (error) {
      throw this.#isClosing ? closed() : faultOf(error)
    }
    this.#running = this.#run()
    await this.#joined.promise
  }

  async commit(positions: readonly PartitionOffset[]): Promise<void> {
    if (positions.length === 0) return
    await this.#joined.promise
    if (this.#lost !== undefined) throw this.#lost
    await this.#membership.commit(positions)
  }

  seek(position: PartitionOffset): void {
    this.#reading.seek(position)
  }

  pause(partition: TopicPartition): void {
    this.#reading.pause(partition)
  }

  resume(partition: TopicPartition): void {
    this.#reading.resume(partition)
  }

  async disconnect(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    clearInterval(this.#look)
    this.#reading.stop()
    this.#joined.reject(closed())
    const left = this.#leave()
    // A broker that has fallen silent does not answer to a goodbye either.
    if (this.#lost?.type !== 'BrokerSilent') await within(LEAVE_MS, systemClock, left).catch(() => {})
    this.#cluster.close()
  }

  /** Leaves by the name that is known, and by one that a join under way brings. Never rejects. */
  async #leave(): Promise<void> {
    await this.#membership.leave()
    await within(JOIN_END_MS, systemClock, this.#running).catch(() => {})
    await this.#membership.leave()
  }

  /** Joins, reads until the group is dealt out anew, and joins again. Never rejects. */
  async #run(): Promise<void> {
    const { handlers } = this.#options
    try {
      for (;;) {
        const assigned = await this.#membership.join()
        this.#refuseWhenClosing()
        await this.#cluster.know(this.#options.topics, { create: true })
        this.#refuseWhenClosing()
        this.#dealt = this.#counts()
        this.#membership.begin()
        this.#reading.begin(assigned, () => handlers.onAssigned(assigned))
        this.#joined.resolve()
        this.#look ??= setInterval(() => void this.#lookAgain(), LOOK_MS)
        await this.#membership.moved()
        this.#reading.stop()
        if (this.#isClosing || this.#lost !== undefined) return
        await handlers.onRejoin()
      }
    } catch (error) {
      this.#onLoss(faultOf(error))
    }
  }

  /** A topic the broker has to make first is refused although it is being made. */
  async #knowTopics(): Promise<void> {
    const { topics } = this.#options
    for (let attempt = 1; ; attempt += 1) {
      this.#refuseWhenClosing()
      await this.#cluster.refresh(topics, { create: true })
      const faults = topics.flatMap((topic) => this.#cluster.faultOf(topic) ?? [])
      const [first] = faults
      if (first === undefined) return
      const fault = faults.find(({ type }) => !MAY_PASS.has(type)) ?? first
      if (!MAY_PASS.has(fault.type) || attempt === KNOW_ATTEMPTS) throw fault
      await sleep(KNOW_WAIT_MS)
    }
  }

  /** Asks again for topics of which something was wrong, or long ago: leaders come back, and topics get more
   *  partitions. Never rejects. */
  async #lookAgain(): Promise<void> {
    const { topics } = this.#options
    if (this.#isClosing || this.#lost !== undefined || !this.#cluster.isStale(topics)) return
    try {
      await this.#cluster.know(topics, { create: true })
    } catch {
      // Whoever reads meets the same, and says so.
      return
    }
    const counts = this.#counts()
    const grown = topics.find((topic) => (counts.get(topic) ?? 0) > (this.#dealt.get(topic) ?? 0))
    if (grown !== undefined)
      this.#membership.move(new ClientFault('REBALANCE_IN_PROGRESS', `Topic ${grown} has more partitions`))
    else this.#reading.look()
  }

  #counts(): ReadonlyMap<string, number> {
    return new Map(this.#options.topics.map((topic) => [topic, this.#cluster.partitionsOf(topic).length]))
  }

  #refuseWhenClosing(): void {
    if (this.#isClosing) throw closed()
  }

  #onLoss(fault: ClientFault): void {
    if (this.#lost !== undefined) return
    this.#lost = fault
    clearInterval(this.#look)
    this.#reading.stop()
    this.#membership.move(fault)
    this.#joined.reject(fault)
    if (!this.#isClosing) this.#options.handlers.onLost(fault)
  }
}

function closed(): ClientFault {
  return new ClientFault('Closed', 'The consumer was closed')
}
