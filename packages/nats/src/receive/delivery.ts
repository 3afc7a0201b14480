import {
  FAILURE_HEADERS,
  failedAttemptsOf,
  type FailureFacts,
  type IncomingNotification,
  type MessageContext,
} from '@oslo-messaging/core/driver'
import type { Arrival } from '../client/link.ts'
import { type Body, readBody } from '../wire/body.ts'
import { readHeaders } from '../wire/headers.ts'

/** What becomes of a delivery, in JetStream's words. */
export type Verdict = '+ACK' | '-NAK' | '+TERM'

/** What a delivery can have done to itself. Each copy resolves when JetStream has it. */
export interface DeliveryPorts {
  /** Settles it; false when it is settled already. */
  settle(verdict: Verdict): boolean
  bury(headers: Readonly<Record<string, string>>): Promise<void>
  repeat(delayMs: number, headers: Readonly<Record<string, string>>): Promise<void>
  /** Ends the asking for more time. */
  leave(): void
  readonly isOpen: boolean
}

/** One notification at a listener. */
export class Delivery implements IncomingNotification {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly priority: string
  readonly redelivered: boolean
  readonly deliveryCount: number
  declare readonly headers?: Readonly<Record<string, string>>
  declare readonly failedAttempts?: number
  declare readonly unreadable?: { readonly error: unknown }
  readonly signal: AbortSignal
  readonly #ports: DeliveryPorts

  constructor(arrival: Arrival, priority: string, signal: AbortSignal, ports: DeliveryPorts) {
    this.signal = signal
    let body: Body = { context: {}, message: {} }
    try {
      body = readBody(arrival.body)
    } catch (error) {
      this.unreadable = { error }
    }
    this.context = body.context
    this.message = body.message
    this.priority = priority
    this.deliveryCount = deliveriesOf(arrival) - 1
    this.redelivered = this.deliveryCount > 0
    const headers = readHeaders(arrival.headers)
    if (headers !== undefined) this.headers = headers
    const failedAttempts = failedAttemptsOf(headers)
    if (failedAttempts > 0) this.failedAttempts = failedAttempts
    this.#ports = ports
  }

  acknowledge(): void {
    this.#ports.settle('+ACK')
  }

  requeue(): void {
    this.#ports.settle('-NAK')
  }

  discard(): void {
    this.#ports.settle('+TERM')
  }

  leave(): void {
    this.#ports.leave()
  }

  async bury({ headers }: FailureFacts): Promise<void> {
    if (!this.#ports.isOpen) return
    await this.#ports.bury({ ...this.headers, ...headers })
    this.#ports.settle('+ACK')
  }

  async retryLater(delayMs: number, { headers }: FailureFacts): Promise<void> {
    if (!this.#ports.isOpen) return
    const attempts = headers[FAILURE_HEADERS.attempts] ?? '1'
    await this.#ports.repeat(delayMs, { ...this.headers, [FAILURE_HEADERS.attempts]: attempts })
    this.#ports.settle('+ACK')
  }
}

/** How often the message was delivered, this time counted: JetStream writes it into the address of the
 *  acknowledgement, `$JS.ACK.<stream>.<consumer>.<count>...`, newer servers with two more tokens before the stream. */
export function deliveriesOf({ replyTo }: Arrival): number {
  const tokens = (replyTo ?? '').split('.')
  const count = Number(tokens[tokens.length > 9 ? 6 : 4])
  return Number.isSafeInteger(count) && count > 0 ? count : 1
}
