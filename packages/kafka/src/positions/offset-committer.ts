import type { Clock } from '@oslo-messaging/core/driver'
import type { PartitionOffset } from '../port/client-port.ts'
import type { PartitionFlow } from './partition-flow.ts'
import { within } from '../port/within.ts'

/** Kafka's own interval of background commits (auto.commit.interval.ms). */
const BACKGROUND_MS = 5000

export interface OffsetCommitterOptions {
  readonly mode: 'before' | 'after' | 'background'
  readonly clock: Clock
  /** Resolves to false when they could not be stored; `resume` says when to try again. Never rejects. */
  readonly commit: (positions: readonly PartitionOffset[]) => Promise<boolean>
}

/** Between two attempts of a last commit. */
const FLUSH_PAUSE_MS = 100

/** Stores positions that lie behind the handing out: one commit at a time, each with the newest position of every
 *  partition. */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions
  readonly #dirty = new Map<PartitionFlow, number>()
  #underway: Promise<void> | undefined
  #timer: unknown
  #closed = false
  /** How often a session has begun to take commits. */
  #resumed = 0

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** Everything of the partition before `offset` is done. */
  advance(flow: PartitionFlow, offset: number): void {
    if (flow.isRevoked) return
    this.#dirty.set(flow, offset)
    this.#schedule()
  }

  /** The partition is not ours any more. */
  forget(flow: PartitionFlow): void {
    this.#dirty.delete(flow)
  }

  /** A session is there again. */
  resume(): void {
    this.#resumed += 1
    if (this.#dirty.size > 0) this.#schedule()
  }

  /** Commits what is left and waits for it, at most `timeoutMs`; `once`: what fails is not tried again. What is left
   *  then is delivered again. */
  async flush(timeoutMs: number, { once = false }: { readonly once?: boolean } = {}): Promise<void> {
    const { clock } = this.#options
    const until = clock.now() + timeoutMs
    const work = async (): Promise<void> => {
      await this.#underway
      while (this.#dirty.size > 0 && clock.now() < until) {
        await this.#run()
        if (once || this.#dirty.size === 0) return
        await new Promise<void>((resolve) => {
          clock.setTimeout(resolve, FLUSH_PAUSE_MS)
        })
      }
    }
    await within(timeoutMs, clock, work()).catch(() => {})
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
    const resumed = this.#resumed
    this.#dirty.clear()
    const isStored = await this.#options.commit(
      positions.map(({ flow, offset }) => ({ topic: flow.topic, partition: flow.partition, offset })),
    )
    this.#underway = undefined
    if (!isStored) {
      for (const { flow, offset } of positions) {
        if (!this.#dirty.has(flow) && !flow.isRevoked) this.#dirty.set(flow, offset)
      }
      // Without a new session it would fail again.
      if (this.#resumed === resumed) return
    }
    if (this.#dirty.size > 0) this.#schedule()
  }
}
