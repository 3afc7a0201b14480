import type { Deadline, DeliveryState, MessagingTimeout, OperationPhase } from '@oslo-messaging/core/driver'
import type { OutgoingRecord } from '../port/client-port.ts'
import type { Expiring } from './deadline-lines.ts'

/** Upper bound of what a record takes besides value and headers: lengths, deltas and counts. */
const RECORD_OVERHEAD_BYTES = 32

/** Bytes a record takes in a batch, at most. */
export function recordBytes({ key, value, headers }: OutgoingRecord): number {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES
  if (headers === undefined) return bytes
  const sizes = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((each) => Buffer.byteLength(name) + Buffer.byteLength(each) + 10),
  )
  return sizes.reduce((sum, size) => sum + size, bytes)
}

export interface OutgoingOptions {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly deadline: Deadline
  /** Attempts after the first; null: no limit but the deadline. */
  readonly retries: number | null
  readonly owner: OutgoingOwner
}

export interface OutgoingOwner {
  /** Whether there is a session, and why not: what a timeout says. */
  readonly isUp: boolean
  readonly error: unknown
  /** Called once for each message, however it ends. */
  release(message: Outgoing): void
}

/** One notification on its way: settles exactly once, by the broker's answer, by its deadline or by the close.
 *  As many may be on their way as callers wait, so it is one object with its promise and nothing else. */
export class Outgoing implements Expiring {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly deadline: Deadline
  readonly retries: number | null
  readonly promise: Promise<void>
  /** It is part of a request, so that giving up does not take it back. */
  underway = false
  settled = false
  /** Why the last attempt with it failed: what a timeout says. */
  reason: unknown = undefined
  /** Calls off what watches the caller's signal. */
  cancelWatch: (() => void) | undefined = undefined
  /** Where it is queued. */
  queue: { forget(message: Outgoing): void } | undefined = undefined
  earlier: Expiring | undefined = undefined
  later: Expiring | undefined = undefined
  readonly #owner: OutgoingOwner
  #resolve!: () => void
  #reject!: (error: unknown) => void

  constructor({ record, bytes, deadline, retries, owner }: OutgoingOptions) {
    this.record = record
    this.bytes = bytes
    this.deadline = deadline
    this.retries = retries
    this.#owner = owner
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  resolve(): void {
    if (this.#settle()) this.#resolve()
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  /** Its time is up: no answer, or no chance to send it. */
  expire(): void {
    this.abandon(this.#timeout())
  }

  /** Ends it from the caller's side; what is under way cannot be taken back. */
  abandon(error: unknown): void {
    this.queue?.forget(this)
    this.reject(error)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.#owner.release(this)
    return true
  }

  #timeout(): MessagingTimeout {
    const { isUp, error } = this.#owner
    const phase: OperationPhase = this.underway ? 'confirm' : isUp ? 'publish' : 'connect'
    const delivery: DeliveryState = this.underway ? 'unknown' : 'not-sent'
    const timeout = this.deadline.timeoutError({ phase, delivery })
    const reason = error ?? this.reason
    if (reason !== undefined) timeout.cause = reason
    return timeout
  }
}
