import type { Clock, IncomingNotification } from '@oslo-messaging/core/driver'
import type { FetchedRecord } from '../port/client-port.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import type { DeadLetters } from './dead-letters.ts'
import { HandedOut, type HandOutHooks } from './handed-out.ts'

/** Records handed out before the event loop gets its turn. */
const RECORDS_AT_ONCE = 100

export interface DispenserOptions {
  /** Most notifications that may be with handlers at once. */
  readonly prefetch: number
  /** Priority by Kafka topic. */
  readonly topics: ReadonlyMap<string, string>
  /** Positions follow the handlers, so that it matters which notification is done. */
  readonly tracked: boolean
  readonly onMessage: (notification: IncomingNotification) => void
  /** Everything of the partition before its `settledUpTo` is done. Only when `tracked`. */
  readonly onAdvance: (flow: PartitionFlow) => void
  readonly deadLetters: DeadLetters
  /** How many partitions share the places. */
  readonly partitions: () => number
}

/** Hands queued records out while there is room, one of each partition in turn. */
export class Dispenser {
  readonly #options: DispenserOptions
  readonly #hooks: HandOutHooks
  /** Flows with queued records and places left, in turn. */
  readonly #ready = new Set<PartitionFlow>()
  /** Highest record handed out, by partition, to tell a second delivery from a first. */
  readonly #highest = new Map<string, number>()
  #out = 0
  #running = false
  #stopped = false
  #held = false
  #onIdle: (() => void) | undefined

  constructor(options: DispenserOptions) {
    this.#options = options
    this.#hooks = {
      deadLetters: options.deadLetters,
      onEnd: (flow, hasAdvanced) => this.#onEnd(flow, hasAdvanced),
    }
  }

  /** Records were queued. */
  offer(flow: PartitionFlow): void {
    if (flow.open < this.#limit) this.#ready.add(flow)
    this.#run()
  }

  /** Nothing of the partition is handed out any more. */
  drop(flow: PartitionFlow): void {
    this.#ready.delete(flow)
  }

  stop(): void {
    this.#stopped = true
    this.#ready.clear()
  }

  /** Hands nothing out until `release`. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#run()
  }

  /** Resolves when nothing is with handlers any more, or after `timeoutMs`. */
  async idle(timeoutMs: number, clock: Clock): Promise<void> {
    if (this.#out === 0) return
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, timeoutMs)
      this.#onIdle = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#onIdle = undefined
  }

  /** Most of one partition at a time: a place is kept for each of the others, so that the slow handlers of one do not
   *  hold up all. */
  get #limit(): number {
    const { prefetch, partitions } = this.#options
    return Math.max(Math.ceil(prefetch / 2), prefetch - partitions() + 1)
  }

  #run(): void {
    // A handler that settles at once comes back here from inside the loop, which then goes on anyway.
    if (this.#running) return
    this.#running = true
    const limit = this.#limit
    let left = RECORDS_AT_ONCE
    let last: PartitionFlow | undefined
    for (const flow of this.#ready) {
      if (!this.#hasPlaces || left === 0) break
      this.#ready.delete(flow)
      last = flow
      // A partition that is alone with its records keeps its turn.
      do {
        left -= 1
        const record = flow.shift()
        if (record !== undefined) this.#handOut(flow, record)
      } while (left > 0 && flow.queued > 0 && flow.open < limit && this.#hasPlaces && this.#isAlone(flow))
      if (flow.queued > 0 && flow.open < limit) this.#ready.add(flow)
    }
    // Once for all of them: whoever waits for room looks each time whether it is still wanted.
    last?.signalRoom()
    if (left > 0 || this.#ready.size === 0) {
      this.#running = false
      return
    }
    // The next commit and fetch get their turn, and are under way while the rest is handed out.
    setImmediate(() => {
      this.#running = false
      this.#run()
    })
  }

  get #hasPlaces(): boolean {
    return this.#out < this.#options.prefetch && !this.#stopped && !this.#held
  }

  #isAlone(flow: PartitionFlow): boolean {
    return this.#ready.size === 0 || (this.#ready.size === 1 && this.#ready.has(flow))
  }

  #handOut(flow: PartitionFlow, record: FetchedRecord): void {
    const { tracked, topics, onMessage } = this.#options
    this.#out += 1
    const handedOut = new HandedOut(flow, record, topics.get(flow.topic), this.#hooks)
    if (tracked) handedOut.track(this.#isRepeated(flow, record))
    onMessage(handedOut)
  }

  #onEnd(flow: PartitionFlow, hasAdvanced: boolean): void {
    this.#out -= 1
    if (flow.queued > 0) this.#ready.add(flow)
    if (hasAdvanced) this.#options.onAdvance(flow)
    if (this.#out === 0) this.#onIdle?.()
    this.#run()
  }

  #isRepeated(flow: PartitionFlow, { offset }: FetchedRecord): boolean {
    if (offset <= (this.#highest.get(flow.key) ?? -1)) return true
    this.#highest.set(flow.key, offset)
    return false
  }
}
