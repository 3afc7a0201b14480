import type { Clock } from '@oslo-messaging/core/driver'
import type { PartitionOffset } from '../port/client-port.ts'
import { kindOf, toFault } from '../port/map-error.ts'
import type { PartitionFlow } from './partition-flow.ts'

/** Kafka's own interval of background commits (auto.commit.interval.ms). */
const BACKGROUND_MS = 5000

export interface OffsetCommitterOptions {
  readonly mode: 'before' | 'after' | 'background'
  readonly clock: Clock
  readonly commit: (positions: readonly PartitionOffset[]) => Promise<void>
  /** The commit failed in a way that needs a new session. */
  readonly onFailure: (error: unknown) => void
}

/** Stores positions that lie behind the handing out: one commit at a time, each with the newest position of every partition. */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions
  readonly #dirty = new Map<PartitionFlow, number>()
  #underway: Promise<void> | undefined
  #timer: unknown
  #closed = false

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** Everything of the partition before `offset` is done. */
  advance(flow: PartitionFlow, offset: number): void {
    if (flow.revoked.signal.aborted) return
    this.#dirty.set(flow, offset)
    this.#schedule()
  }

  /** The partition is not ours any more. */
  forget(flow: PartitionFlow): void {
    this.#dirty.delete(flow)
  }

  /** A session is there again. */
  resume(): void {
    if (this.#dirty.size > 0) this.#schedule()
  }

  /** Commits what is left and waits for it, at most `timeoutMs`. What fails then is delivered again. */
  async flush(timeoutMs: number): Promise<void> {
    const { clock } = this.#options
    let timer: unknown
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, timeoutMs)
    })
    const work = async (): Promise<void> => {
      await this.#underway
      if (this.#dirty.size > 0) await this.#run()
    }
    await Promise.race([work(), late])
    clock.clearTimeout(timer)
  }

  close(): void {
    this.#closed = true
    this.#options.clock.clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#closed || this.#underway !== undefined || this.#timer !== undefined) return
    // After the present tick, so that whatever settles together is committed together.
    this.#timer = this.#options.clock.setTimeout(
      () => {
        this.#timer = undefined
        this.#underway = this.#run()
      },
      this.#options.mode === 'background' ? BACKGROUND_MS : 0,
    )
  }

  async #run(): Promise<void> {
    const positions = [...this.#dirty].map(([flow, offset]) => ({ flow, offset }))
    this.#dirty.clear()
    try {
      await this.#options.commit(
        positions.map(({ flow, offset }) => ({ topic: flow.topic, partition: flow.partition, offset })),
      )
    } catch (error) {
      for (const { flow, offset } of positions) {
        if (!this.#dirty.has(flow) && !flow.revoked.signal.aborted) this.#dirty.set(flow, offset)
      }
      // The group moves, and the client with it: the next assignment resumes.
      if (kindOf(toFault(error)) !== 'rejoin') this.#options.onFailure(error)
      this.#underway = undefined
      return
    }
    this.#underway = undefined
    if (this.#dirty.size > 0) this.#schedule()
  }
}
