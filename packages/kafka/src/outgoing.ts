import { type Deadline, type DeliveryState, MessagingTimeout, type OperationPhase } from '@oslo-messaging/core/driver'
import type { OutgoingRecord } from './client-port.ts'

/** Upper bound of what a record takes besides value and headers: lengths, deltas and counts. */
const RECORD_OVERHEAD_BYTES = 32

/** Bytes a record takes in a batch, at most. */
export function recordBytes(record: OutgoingRecord): number {
  let bytes = record.value.length + RECORD_OVERHEAD_BYTES
  for (const name in record.headers) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(record.headers[name] ?? '') + 10
  }
  return bytes
}

export interface OutgoingOptions {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly deadline: Deadline
  readonly retries: number | null
  readonly owner: OutgoingOwner
}

export interface OutgoingOwner {
  /** Whether there is a session, and why not: what a timeout says. */
  readonly isUp: boolean
  readonly error: unknown
  /** Called once for each message, however it ends. */
  release(bytes: number): void
}

/** One notification on its way: settles exactly once, by the broker's answer, by its deadline or by the close. */
export class Outgoing {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly retries: number | null
  readonly promise: Promise<void>
  /** It is part of a request, so that giving up does not take it back. */
  underway = false
  /** A request with it may have arrived. */
  uncertain = false
  settled = false
  /** Why the last attempt with it failed: what a timeout says. */
  reason: unknown
  /** Takes it out of the queue when it ends early. */
  onAbandoned: (() => void) | undefined
  readonly #options: OutgoingOptions
  #cancelWatch: () => void = () => {}
  #resolve!: () => void
  #reject!: (error: unknown) => void

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.record = options.record
    this.bytes = options.bytes
    this.retries = options.retries
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#cancelWatch = options.deadline.watch({ phase: 'publish', delivery: 'not-sent' }, (error) => {
      this.onAbandoned?.()
      this.reject(error instanceof MessagingTimeout ? this.#timeout() : error)
    })
  }

  resolve(): void {
    if (this.#settle()) this.#resolve()
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.#cancelWatch()
    this.#options.owner.release(this.bytes)
    return true
  }

  #timeout(): MessagingTimeout {
    const { isUp, error } = this.#options.owner
    const phase: OperationPhase = this.underway ? 'confirm' : isUp ? 'publish' : 'connect'
    const delivery: DeliveryState = this.underway ? 'unknown' : 'not-sent'
    const timeout = this.#options.deadline.timeoutError({ phase, delivery })
    const reason = error ?? this.reason
    if (reason !== undefined) timeout.cause = reason
    return timeout
  }
}
