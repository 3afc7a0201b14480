import type { Clock } from '@oslo-messaging/core/driver'
import type { ClientFault, FetchedBatch } from './client-port.ts'
import type { Dispenser } from './dispenser.ts'
import { kindOf, toFault } from './map-error.ts'
import type { OffsetCommitter } from './offset-committer.ts'
import type { PartitionFlow } from './partition-flow.ts'
import type { Session } from './partition-table.ts'

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
  readonly onLost: (fault: ClientFault) => void
}

/** Takes fetched records over: commits them first where that is promised, and holds the fetching back while the handlers are busy. */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Resolves when the client may fetch on. What was not taken over is fetched again. */
  async take(session: Session, flow: PartitionFlow, batch: FetchedBatch): Promise<void> {
    const { maxPollRecords, commit, dispenser, committer } = this.#options
    for (let at = 0; at < batch.records.length; at += maxPollRecords) {
      if (!this.#wants(session, batch) || !(await this.#room(session, flow, batch))) return
      const slice =
        batch.records.length <= maxPollRecords ? batch.records : batch.records.slice(at, at + maxPollRecords)
      const last = slice.at(-1)
      if (last === undefined) return
      const next = last.offset + 1
      if (commit === 'before' && !(await this.#commitFirst(flow, batch, next))) return
      batch.resolve(last.offset)
      flow.take(slice, next)
      // Committed, but nobody is there any more to hand it to: the listener's `stop` gives it back.
      if (this.#options.isStopped()) return
      if (commit === 'background') committer.advance(flow, next)
      dispenser.offer(flow)
    }
  }

  #wants(session: Session, batch: FetchedBatch): boolean {
    return this.#options.session() === session && !this.#options.isStopped() && !batch.isStale()
  }

  /** The synchronous commit before dispatch. False: nothing of it may be handed out. */
  async #commitFirst(flow: PartitionFlow, batch: FetchedBatch, next: number): Promise<boolean> {
    flow.attempted = next
    try {
      await batch.commit(next)
      flow.attempted = undefined
      return true
    } catch (error) {
      const fault = toFault(error)
      if (kindOf(fault) === 'rejoin') throw fault
      // Also when the coordinator has moved: the client does not look for the new one, a new session does.
      this.#options.onLost(fault)
      return false
    }
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
        return flow.queued <= low || !this.#wants(session, batch)
      })
      if (!this.#wants(session, batch)) return false
      if (flow.queued > low) await batch.heartbeat()
    }
    if (flow.queued <= low) return true
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
