import type { Clock } from '@oslo-messaging/core/driver'
import type { ClientFault, FetchedBatch, FetchedRecord } from '../port/client-port.ts'
import type { Dispenser } from './dispenser.ts'
import { kindOf, toFault } from '../port/map-error.ts'
import type { OffsetCommitter } from '../positions/offset-committer.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import type { Session } from '../positions/partition-table.ts'

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
  readonly onLost: (fault: ClientFault) => void
}

/** Takes fetched records over: commits them first where that is promised, and holds the fetching back while the handlers are busy.
 *  The next fetch is under way while a commit is: its records wait for that commit, and then for their own. */
export class Intake {
  readonly #options: IntakeOptions
  /** Commits before dispatch that are under way, at most one of a partition: nothing may be stored behind one that fails. */
  readonly #committing = new Map<PartitionFlow, Promise<void>>()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Resolves when the client may fetch on. What was not taken over is fetched again.
   *  Rejects with the fault of a commit, also of the one for the records before these, that lets the client join the group again. */
  async take(session: Session, flow: PartitionFlow, batch: FetchedBatch): Promise<void> {
    const { maxPollRecords, commit } = this.#options
    for (let at = 0; at < batch.records.length; at += maxPollRecords) {
      await this.#previous(flow)
      if (!this.#wants(session, flow, batch) || !(await this.#room(session, flow, batch))) return
      const slice =
        batch.records.length <= maxPollRecords ? batch.records : batch.records.slice(at, at + maxPollRecords)
      const last = slice.at(-1)
      if (last === undefined) return
      const next = last.offset + 1
      batch.resolve(last.offset)
      if (commit === 'before') {
        this.#committing.set(flow, this.#commitFirst(session, flow, batch, slice, next))
      } else this.#handOut(flow, slice, next)
    }
  }

  /** Resolves when every commit under way has its answer and what is committed is taken over. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#committing.values())
  }

  #wants(session: Session, flow: PartitionFlow, batch: FetchedBatch): boolean {
    const { session: current, isStopped, isOurs } = this.#options
    return current() === session && !isStopped() && isOurs(flow) && !batch.isStale()
  }

  async #previous(flow: PartitionFlow): Promise<void> {
    await this.#committing.get(flow)
    const { refused } = flow
    flow.refused = undefined
    if (refused !== undefined) throw refused
  }

  /** The synchronous commit before dispatch: what it does not store is not handed out, and fetched again. Never rejects. */
  async #commitFirst(
    session: Session,
    flow: PartitionFlow,
    batch: FetchedBatch,
    slice: readonly FetchedRecord[],
    next: number,
  ): Promise<void> {
    const { deal } = flow
    flow.attempted = next
    try {
      await batch.commit(next)
      flow.attempted = undefined
      this.#handOut(flow, slice, next)
      // The new deal began at the position of before.
      if (flow.deal !== deal) {
        this.#options.session()?.port.seek({ topic: flow.topic, partition: flow.partition, offset: next })
      }
    } catch (error) {
      const fault = toFault(error)
      // Also when the coordinator has moved: the client does not look for the new one, a new session does.
      if (kindOf(fault) !== 'rejoin') this.#options.onLost(fault)
      else if (flow.deal === deal && this.#options.session() === session) this.#goBack(session, flow, slice, fault)
    } finally {
      this.#committing.delete(flow)
    }
  }

  /** The client has fetched on by now. It joins the group again with the next batch, which brings these records once more if it does not. */
  #goBack(session: Session, flow: PartitionFlow, [first]: readonly FetchedRecord[], fault: ClientFault): void {
    flow.refused = fault
    if (first === undefined) return
    session.port.seek({ topic: flow.topic, partition: flow.partition, offset: first.offset })
  }

  #handOut(flow: PartitionFlow, slice: readonly FetchedRecord[], next: number): void {
    const { commit, committer, dispenser, isStopped } = this.#options
    flow.take(slice, next)
    // Committed, but nobody is there any more to hand it to: the listener's `stop` gives it back.
    if (isStopped()) return
    if (commit === 'background') committer.advance(flow, next)
    dispenser.offer(flow)
  }

  /** Waits until most of what was taken over is handed out. False: the handlers are too slow to be waited for, and the partition is paused until they have caught up. */
  async #room(session: Session, flow: PartitionFlow, batch: FetchedBatch): Promise<boolean> {
    const { maxPollRecords, maxWaitMs, clock } = this.#options
    // As much again as one slice: then commits and fetches run while records are handed out, and a crash loses two slices at most.
    const low = maxPollRecords
    if (flow.queued === 0) flow.slow = false
    const until = clock.now() + (flow.slow ? 0 : Math.max(2 * maxWaitMs, HOLD_STEP_MS))
    while (flow.queued > low && clock.now() < until) {
      await this.#wait(flow, Math.min(HOLD_STEP_MS, until - clock.now()), () => {
        return flow.queued <= low || !this.#wants(session, flow, batch)
      })
      if (!this.#wants(session, flow, batch)) return false
      if (flow.queued > low) await batch.heartbeat()
    }
    // Room also comes from a queue that was cleared because the partition went to somebody else.
    if (flow.queued <= low) return this.#wants(session, flow, batch)
    this.#pause(session, flow, low)
    return false
  }

  async #wait(flow: PartitionFlow, delayMs: number, isOver: () => boolean): Promise<void> {
    const { clock } = this.#options
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, delayMs)
      flow.onRoom(() => {
        if (!isOver()) return
        clock.clearTimeout(timer)
        resolve()
      })
    })
    flow.onRoom(undefined)
  }

  #pause(session: Session, flow: PartitionFlow, low: number): void {
    flow.slow = true
    flow.paused = true
    session.port.pause(flow)
    flow.onRoom(() => {
      if (flow.queued > low) return
      flow.onRoom(undefined)
      flow.paused = false
      this.#options.session()?.port.resume(flow)
    })
  }
}
