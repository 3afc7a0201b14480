import type { Clock } from '@oslo-messaging/core/driver'
import type { TopicPartition } from '../port/client-port.ts'
import { keyOf } from './partition-flow.ts'
import { isRecreated, type Positions } from './start-positions.ts'

/** What a listener believes about one of its partitions. */
export interface WatchedPartition extends TopicPartition {
  /** The first record not taken over yet. */
  readonly next: number | undefined
  /** It waits for its handlers, and does not fetch on purpose. */
  readonly isBusy: boolean
}

/** A partition at the check before. */
export interface WatchedBefore {
  readonly next: number | undefined
  /** Where it ended then. */
  readonly high: number | undefined
}

/** What is wrong with a partition although its connection looks well; null: nothing.
 *  `partition` is what was believed before `now` was asked for: what was taken over by then is stored. */
export function findTrouble(
  partition: WatchedPartition,
  now: Positions,
  before: Positions,
  previous: WatchedBefore | undefined,
): string | null {
  const bounds = now.bounds.get(keyOf(partition))
  if (partition.next === undefined || bounds === undefined) return null
  if (bounds.high < partition.next || isRecreated(partition, now, before)) {
    return `Topic ${partition.topic} was deleted and made again`
  }
  // Records that were there at the check before have had the whole interval to come; later ones may be on their way.
  const hasWaited = previous?.high !== undefined && partition.next < previous.high
  const isStuck = !partition.isBusy && hasWaited && partition.next === previous.next && partition.next < bounds.high
  return isStuck ? `Partition ${keyOf(partition)} holds records from ${partition.next} on, and none arrives` : null
}

export interface WatchdogOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** Asks the broker. A rejection is trouble. */
  readonly ask: () => Promise<Positions>
  readonly partitions: () => readonly WatchedPartition[]
  readonly known: () => Positions
  readonly onTrouble: (error: unknown) => void
}

/** Verifies consumption with the broker, not with the socket: now and then it compares what is stored with what was
 *  taken over. */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #previous = new Map<string, WatchedBefore>()
  #timer: unknown
  #closed = false
  /** Which session is watched. */
  #watch = 0

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /** Begins to watch a session, or begins again. */
  start(): void {
    this.rest()
    if (!this.#closed) this.#later(this.#watch)
  }

  /** The session has ended: what an answer under way says concerns nobody. */
  rest(): void {
    this.#watch += 1
    this.#options.clock.clearTimeout(this.#timer)
    this.#previous.clear()
  }

  close(): void {
    this.#closed = true
    this.rest()
  }

  #later(watch: number): void {
    const { clock, intervalMs } = this.#options
    this.#timer = clock.setTimeout(() => void this.#check(watch), intervalMs)
  }

  async #check(watch: number): Promise<void> {
    const { ask, partitions, known, onTrouble } = this.#options
    const before = known()
    const watched = partitions()
    let now: Positions
    try {
      now = await ask()
    } catch (error) {
      // The session itself may not notice for minutes: it waits for answers that do not come.
      if (this.#watch === watch) onTrouble(error)
      return
    }
    if (this.#watch !== watch) return
    for (const partition of watched) {
      const key = keyOf(partition)
      const trouble = findTrouble(partition, now, before, this.#previous.get(key))
      this.#previous.set(key, { next: partition.next, high: now.bounds.get(key)?.high })
      if (trouble !== null) return onTrouble(new Error(trouble))
    }
    this.#later(watch)
  }
}
