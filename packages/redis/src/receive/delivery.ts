import {
  FAILURE_HEADERS,
  failedAttemptsOf,
  type FailureFacts,
  type IncomingNotification,
  type MessageContext,
} from '@oslo-messaging/core/driver'
import { type Body, readBody } from '../wire/body.ts'
import { FIELDS, readHeaders } from '../wire/fields.ts'
import type { Taken } from './intake.ts'

/** What a delivery can have done to itself. Each copy resolves when the server has it. */
export interface DeliveryPorts {
  /** Settles it, or hands it back. */
  settle(isDone: boolean): void
  bury(headers: Readonly<Record<string, string>>): Promise<void>
  repeat(delayMs: number, headers: Readonly<Record<string, string>>): Promise<void>
  isOpen(): boolean
}

/** One notification at a listener. */
export class Delivery implements IncomingNotification {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly priority: string
  readonly redelivered: boolean
  declare readonly headers?: Readonly<Record<string, string>>
  declare readonly failedAttempts?: number
  declare readonly unreadable?: { readonly error: unknown }
  readonly signal: AbortSignal
  readonly #ports: DeliveryPorts

  constructor({ entry, redelivered }: Taken, priority: string, signal: AbortSignal, ports: DeliveryPorts) {
    this.signal = signal
    let body: Body = { context: {}, message: {} }
    try {
      body = readBody(entry.fields[FIELDS.body])
    } catch (error) {
      this.unreadable = { error }
    }
    this.context = body.context
    this.message = body.message
    this.priority = priority
    this.redelivered = redelivered
    const headers = readHeaders(entry.fields)
    if (headers !== undefined) this.headers = headers
    const failedAttempts = failedAttemptsOf(headers)
    if (failedAttempts > 0) this.failedAttempts = failedAttempts
    this.#ports = ports
  }

  acknowledge(): void {
    this.#ports.settle(true)
  }

  requeue(): void {
    this.#ports.settle(false)
  }

  async bury({ headers }: FailureFacts): Promise<void> {
    if (!this.#ports.isOpen()) return
    await this.#ports.bury({ ...this.headers, ...headers })
    this.#ports.settle(true)
  }

  async retryLater(delayMs: number, { headers }: FailureFacts): Promise<void> {
    if (!this.#ports.isOpen()) return
    const attempts = headers[FAILURE_HEADERS.attempts] ?? '1'
    await this.#ports.repeat(delayMs, { ...this.headers, [FAILURE_HEADERS.attempts]: attempts })
    this.#ports.settle(true)
  }
}
