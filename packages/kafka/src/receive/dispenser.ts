import { type Clock, type IncomingNotification, SerializationError } from '@oslo-messaging/core/driver'
import type { FetchedRecord } from '../port/client-port.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import { decodeRecord } from '../wire/record.ts'
import type { DeadLetters } from './dead-letters.ts'

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

/** The place of a record among those with handlers. */
interface Place {
  /** It is done: its place is free, and the position may pass it. */
  readonly release: () => void
  /** Nobody here finishes it: its place is free, and the position stays before it. */
  readonly giveUp: () => void
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Hands queued records out while there is room, one of each partition in turn. */
export class Dispenser {
  readonly #options: DispenserOptions
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
    let left = RECORDS_AT_ONCE
    for (const flow of this.#ready) {
      if (this.#out >= this.#options.prefetch || this.#stopped || this.#held) break
      if (left === 0) {
        // The next commit and fetch get their turn, and are under way while the rest is handed out.
        setImmediate(() => {
          this.#running = false
          this.#run()
        })
        return
      }
      left -= 1
      this.#ready.delete(flow)
      const record = flow.shift()
      if (record !== undefined) this.#handOut(flow, record)
      if (flow.queued > 0 && flow.open < this.#limit) this.#ready.add(flow)
      flow.signalRoom()
    }
    this.#running = false
  }

  #handOut(flow: PartitionFlow, record: FetchedRecord): void {
    const { tracked } = this.#options
    const settle = flow.handOut(tracked ? record.offset : null)
    this.#out += 1
    let open = true
    const end = (isDone: boolean): void => {
      if (!open) return
      open = false
      this.#out -= 1
      const hasAdvanced = settle(isDone)
      if (flow.queued > 0) this.#ready.add(flow)
      if (hasAdvanced) this.#options.onAdvance(flow)
      if (this.#out === 0) this.#onIdle?.()
      this.#run()
    }
    this.#deliver(flow, record, { release: () => end(true), giveUp: () => end(false) })
  }

  #deliver(flow: PartitionFlow, record: FetchedRecord, { release, giveUp }: Place): void {
    const { onMessage, topics, tracked, deadLetters } = this.#options
    const priority = topics.get(flow.topic)
    const notification: Mutable<IncomingNotification> = {
      ...contentOf(flow, record),
      orderingKey: flow.key,
      acknowledge: release,
      requeue: release,
      leave: giveUp,
      bury: async (failure) => {
        await deadLetters.bury(flow, record, failure)
        release()
      },
    }
    if (priority !== undefined) notification.priority = priority
    if (record.headers !== undefined) notification.headers = record.headers
    if (tracked) {
      notification.signal = flow.signal
      notification.redelivered = this.#isRepeated(flow, record)
    }
    onMessage(notification)
  }

  #isRepeated(flow: PartitionFlow, { offset }: FetchedRecord): boolean {
    if (offset <= (this.#highest.get(flow.key) ?? -1)) return true
    this.#highest.set(flow.key, offset)
    return false
  }
}

/** What a record says; what cannot be read is for the policy of the listener. */
function contentOf(
  flow: PartitionFlow,
  { value, offset }: FetchedRecord,
): Pick<IncomingNotification, 'context' | 'message' | 'unreadable'> {
  try {
    const { context, message } = decodeRecord(value)
    return { context, message }
  } catch (cause) {
    const text = `The record at ${flow.key}@${offset} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
    return { context: {}, message: {}, unreadable: { error: new SerializationError(text, { cause }) } }
  }
}
