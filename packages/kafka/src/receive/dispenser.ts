import { type Clock, emitDiagnostic, type IncomingNotification, type Logger } from '@oslo-messaging/core/driver'
import type { FetchedRecord } from '../port/client-port.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import type { PoisonPolicy } from './poison-policy.ts'
import { type DecodedRecord, decodeRecord } from '../wire/record.ts'

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
  /** For handlers that fail; absent: the listener above settles such notifications itself. */
  readonly poison: PoisonPolicy | undefined
  /** How many partitions share the places. */
  readonly partitions: () => number
  readonly logger: Logger
}

/** One handing out of a record. */
interface Delivery {
  readonly flow: PartitionFlow
  readonly record: FetchedRecord
  /** Counts from 1. */
  readonly attempt: number
  /** It is done: its place is free, and the position may pass it. */
  readonly release: () => void
  /** Nobody here finishes it: its place is free, and the position stays before it. */
  readonly giveUp: () => void
  readonly retry: () => void
}

/** The place of a record among those with handlers. */
type Place = Pick<Delivery, 'release' | 'giveUp'>

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

  /** Most of one partition at a time: a place is kept for each of the others, so that the slow handlers of one do not hold up all. */
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
    const settle = tracked ? flow.handOut(record.offset) : null
    let decoded
    try {
      decoded = decodeRecord(record.value)
    } catch (error) {
      this.#reportUnreadable(flow, record, error)
      if (settle?.() === true) this.#options.onAdvance(flow)
      return
    }
    this.#out += 1
    flow.open += 1
    let open = true
    const end = (isDone: boolean): void => {
      if (!open) return
      open = false
      this.#out -= 1
      flow.open -= 1
      if (flow.queued > 0) this.#ready.add(flow)
      if (isDone && settle?.() === true) this.#options.onAdvance(flow)
      if (this.#out === 0) this.#onIdle?.()
      this.#run()
    }
    this.#deliver(flow, record, decoded, { release: () => end(true), giveUp: () => end(false) }, 1)
  }

  #deliver(flow: PartitionFlow, record: FetchedRecord, decoded: DecodedRecord, place: Place, attempt: number): void {
    const { onMessage, topics, tracked, poison } = this.#options
    const priority = topics.get(flow.topic)
    const notification: Mutable<IncomingNotification> = {
      context: decoded.context,
      message: decoded.message,
      orderingKey: flow.key,
      acknowledge: place.release,
      requeue: place.release,
    }
    if (priority !== undefined) notification.priority = priority
    if (record.headers !== undefined) notification.headers = record.headers
    if (tracked) {
      notification.signal = flow.revoked.signal
      notification.redelivered = attempt > 1 || this.#isRepeated(flow, record)
      notification.deliveryCount = attempt - 1
    }
    if (poison !== undefined) {
      const retry = (): void => this.#deliver(flow, record, decoded, place, attempt + 1)
      let judged = false
      notification.failed = (error) => {
        if (judged) return
        judged = true
        void this.#judge(poison, { flow, record, attempt, ...place, retry }, error)
      }
    }
    onMessage(notification)
  }

  async #judge(poison: PoisonPolicy, delivery: Delivery, error: unknown): Promise<void> {
    const { flow, record, attempt, release, giveUp, retry } = delivery
    const verdict = await poison.judge(flow, record, attempt, error)
    if (verdict === 'done') release()
    // Stopped or taken away meanwhile: it is not committed, and comes again.
    else if (this.#stopped || flow.revoked.signal.aborted) giveUp()
    else retry()
  }

  #isRepeated(flow: PartitionFlow, { offset }: FetchedRecord): boolean {
    if (offset <= (this.#highest.get(flow.key) ?? -1)) return true
    this.#highest.set(flow.key, offset)
    return false
  }

  #reportUnreadable(flow: PartitionFlow, record: FetchedRecord, error: unknown): void {
    const source = `${flow.key}@${record.offset}`
    this.#options.logger.warn('kafka record cannot be read and is passed over', { source, error })
    emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'kafka', source, reason: 'unreadable', error }))
  }
}
