import type { Clock } from '@oslo-messaging/core/driver'
import type { ClientFault, FetchedBatch, FetchedRecord } from '../port/client-port.ts'
import type { Dispenser } from './dispenser.ts'
import { kindOf, toFault } from '../port/map-error.ts'
import { writeNote } from '../positions/commit-note.ts'
import type { DoubtfulCommits } from '../positions/doubtful-commits.ts'
import type { OffsetCommitter } from '../positions/offset-committer.ts'
import { bytesOf, type PartitionFlow } from '../positions/partition-flow.ts'
import type { Session } from '../positions/partition-table.ts'
import type { Room } from '../positions/room.ts'

/** How often a partition that waits for its handlers tells the group that it lives. */
const HOLD_STEP_MS = 500

export interface IntakeOptions {
  readonly commit: 'before' | 'after' | 'background'
  readonly maxPollRecords: number
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly dispenser: Dispenser
  readonly committer: OffsetCommitter
  /** The session in use; undefined between two. */
  readonly session: () => Session | undefined
  readonly isStopped: () => boolean
  /** The partition has not been given to somebody else since these records were fetched. */
  readonly isOurs: (flow: PartitionFlow) => boolean
  /** Most bytes of all partitions that are taken over and not handed out. */
  readonly maxQueuedBytes: number
  /** How many partitions share them. */
  readonly partitions: () => number
  readonly room: Room
  /** The name of this listener in the notes beside its positions. */
  readonly self: string
  readonly doubts: DoubtfulCommits
  /** The session cannot go on. */
  readonly onLost: (session: Session, fault: ClientFault) => void
}

/** So many portions of records fit into what a partition may have: one is committed while the other is handed out. */
const SLICES_IN_QUEUE = 2

interface Slice {
  readonly records: readonly FetchedRecord[]
  readonly next: number
}

/** Takes fetched records over: commits them first where that is promised, and holds the fetching back while the
 *  handlers are busy. The next fetch is under way while a commit is: its records wait for that commit, and then for
 *  their own. */
export class Intake {
  readonly #options: IntakeOptions
  /** Commits before dispatch that are under way, at most one of a partition: nothing may be stored behind one that
   *  fails. */
  readonly #committing = new Map<PartitionFlow, Promise<void>>()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Resolves when the client may fetch on. What was not taken over is fetched again.
   *  Rejects with the fault of a commit, also of the one for the records before these, that lets the client join the
   *  group again. */
  async take(session: Session, flow: PartitionFlow, batch: FetchedBatch): Promise<void> {
    const { commit } = this.#options
    flow.sawEnd(batch.end)
    for (const slice of this.#slices(batch)) {
      await this.#previous(flow)
      if (!this.#wants(session, flow, batch) || !(await this.#room(session, flow, batch, bytesOf(slice.records))))
        return
      const { records, next } = slice
      batch.resolve(next - 1)
      if (commit === 'before') {
        this.#committing.set(flow, this.#commitFirst(session, flow, batch, records, next))
      } else this.handOut(flow, records, next)
    }
  }

  /** The records in portions that are committed together; the last one reaches as far as the batch does. */
  *#slices({ records, next }: FetchedBatch): Iterable<Slice> {
    const { maxPollRecords } = this.#options
    const maxBytes = this.#shareBytes / SLICES_IN_QUEUE
    let from = 0
    let bytes = 0
    for (const [at, record] of records.entries()) {
      const size = record.value?.length ?? 0
      if (at > from && (at - from === maxPollRecords || bytes + size > maxBytes)) {
        yield { records: records.slice(from, at), next: (records[at - 1]?.offset ?? 0) + 1 }
        from = at
        bytes = 0
      }
      bytes += size
    }
    yield { records: from === 0 ? records : records.slice(from), next }
  }

  /** Resolves when every commit under way has its answer and what is committed is taken over. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#committing.values())
  }

  #wants(session: Session, flow: PartitionFlow, batch: FetchedBatch): boolean {
    const { session: current, isStopped, isOurs, doubts } = this.#options
    // Stored behind records of which nobody knows whether they are, these would hide them for good: the session is
    // over, and only its owner has not heard of it.
    if (doubts.has(flow)) return false
    return current() === session && !isStopped() && isOurs(flow) && !batch.isStale()
  }

  async #previous(flow: PartitionFlow): Promise<void> {
    await this.#committing.get(flow)
    const refusal = flow.takeRefusal()
    if (refusal !== undefined) throw refusal
  }

  /** The synchronous commit before dispatch: what it does not store is not handed out, and fetched again. Never
   *  rejects. */
  async #commitFirst(
    session: Session,
    flow: PartitionFlow,
    batch: FetchedBatch,
    slice: readonly FetchedRecord[],
    next: number,
  ): Promise<void> {
    const { deal } = flow
    const from = slice[0]?.offset ?? flow.next ?? next
    try {
      await batch.commit(next, writeNote({ by: this.#options.self, ...flow.begun }))
      this.handOut(flow, slice, next)
      // The new deal began at the position of before.
      if (flow.deal !== deal && this.#options.isOurs(flow)) {
        this.#options.session()?.port.seek({ topic: flow.topic, partition: flow.partition, offset: next })
      }
    } catch (error) {
      const fault = toFault(error)
      if (kindOf(fault) !== 'rejoin') {
        // The broker may have stored it before the connection ended.
        if (slice.length > 0) this.#options.doubts.add({ flow, records: slice, from: flow.next ?? from, to: next })
        // Also when the coordinator has moved: the client does not look for the new one, a new session does.
        this.#options.onLost(session, fault)
      } else if (flow.deal === deal && this.#options.session() === session) {
        this.#goBack(session, flow, from, fault)
      }
    } finally {
      this.#committing.delete(flow)
    }
  }

  /** The client has fetched on by now. It joins the group again with the next batch, which brings these records once
   *  more if it does not. */
  #goBack(session: Session, flow: PartitionFlow, from: number, fault: ClientFault): void {
    flow.refuse(fault)
    session.port.seek({ topic: flow.topic, partition: flow.partition, offset: from })
  }

  /** Takes over records that may be handed out, up to a position. */
  handOut(flow: PartitionFlow, slice: readonly FetchedRecord[], next: number): void {
    const { commit, committer, dispenser, isStopped } = this.#options
    if (slice.length === 0) return this.#passOver(flow, next)
    flow.take(slice, next)
    // Committed, but nobody is there any more to hand it to: the listener's `stop` gives it back.
    if (isStopped()) return
    if (commit === 'background') committer.advance(flow, next)
    dispenser.offer(flow)
  }

  /** All that is stored up to there is nobody's to read. */
  #passOver(flow: PartitionFlow, next: number): void {
    const { commit, committer } = this.#options
    flow.take([], next)
    if (commit === 'before') return
    const done = commit === 'after' ? flow.settledUpTo : next
    if (done !== undefined) committer.advance(flow, done)
  }

  /** Waits until most of what was taken over is handed out. False: the handlers are too slow to be waited for, and the
   *  partition is paused until they have caught up. */
  async #room(session: Session, flow: PartitionFlow, batch: FetchedBatch, bytes: number): Promise<boolean> {
    const { maxWaitMs, clock } = this.#options
    const until = clock.now() + (flow.isSlow ? 0 : Math.max(2 * maxWaitMs, HOLD_STEP_MS))
    while (!this.#hasRoom(flow, bytes) && clock.now() < until) {
      await this.#wait(
        Math.min(HOLD_STEP_MS, until - clock.now()),
        () => this.#hasRoom(flow, bytes) || !this.#wants(session, flow, batch),
      )
      if (!this.#wants(session, flow, batch)) return false
      if (!this.#hasRoom(flow, bytes)) await batch.heartbeat()
    }
    // Room also comes from a queue that was cleared because the partition went to somebody else.
    if (this.#hasRoom(flow, bytes)) return this.#wants(session, flow, batch)
    this.#pause(session, flow, bytes)
    return false
  }

  #hasRoom(flow: PartitionFlow, bytes: number): boolean {
    const { maxPollRecords } = this.#options
    // As many records again as one slice: then commits and fetches run while records are handed out, and a crash loses
    // two slices at most.
    if (flow.queued > maxPollRecords) return false
    return flow.queued === 0 || flow.queuedBytes + bytes <= this.#shareBytes
  }

  /** What one partition may have: slow handlers of one do not take the room of the others. One record always may be
   *  there. */
  get #shareBytes(): number {
    return this.#options.maxQueuedBytes / Math.max(1, this.#options.partitions())
  }

  async #wait(delayMs: number, isOver: () => boolean): Promise<void> {
    const { clock, room } = this.#options
    await new Promise<void>((resolve) => {
      const end = (): void => {
        leave()
        clock.clearTimeout(timer)
        resolve()
      }
      const timer = clock.setTimeout(end, delayMs)
      const leave = room.onSignal(() => {
        if (isOver()) end()
      })
    })
  }

  #pause(session: Session, flow: PartitionFlow, bytes: number): void {
    const wasPaused = flow.isPaused
    flow.pause()
    if (wasPaused) return
    session.port.pause(flow)
    const leave = this.#options.room.onSignal(() => {
      if (this.#options.isOurs(flow) && !this.#hasRoom(flow, bytes)) return
      leave()
      flow.resume()
      if (this.#options.isOurs(flow)) this.#options.session()?.port.resume(flow)
    })
  }
}
