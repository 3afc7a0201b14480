import {
  createBackoff,
  Deadline,
  type DriverContext,
  emitDiagnostic,
  encodeJson,
  type IncomingRequest,
  isMessagingError,
  type MessageContext,
  type RPCReply,
} from '@oslo-messaging/core/driver'
import type { NatsOptions } from '../config.ts'
import type { Sender } from '../send/sender.ts'
import type { Body } from '../wire/body.ts'
import { DRIVER_HEADERS } from '../wire/headers.ts'

/** Longest time that a reply without a caller's time is tried. */
const REPLY_MS = 60_000
const BEAT_MS = 5000

/** What a request is made of besides its body. */
export interface RequestFacts {
  readonly replyTo: string | undefined
  readonly monitor: number | undefined
  readonly expiresInMs: number | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
}

/** One request at a server. */
export class Request implements IncomingRequest {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly expectsReply: boolean
  readonly callMonitorTimeout: number | null
  declare readonly headers?: Readonly<Record<string, string>>
  declare readonly expiresInMs?: number
  readonly #replyTo: string | undefined
  readonly #expiresInMs: number | undefined
  readonly #sender: Sender
  readonly #driver: DriverContext<NatsOptions>
  readonly #settle: (isDone: boolean) => void

  constructor(
    body: Body,
    facts: RequestFacts,
    sender: Sender,
    driver: DriverContext<NatsOptions>,
    settle: (isDone: boolean) => void,
  ) {
    this.context = body.context
    this.message = body.message
    this.expectsReply = facts.replyTo !== undefined
    this.callMonitorTimeout = facts.monitor ?? null
    if (facts.headers !== undefined) this.headers = facts.headers
    if (facts.expiresInMs !== undefined) this.expiresInMs = facts.expiresInMs
    this.#replyTo = facts.replyTo
    this.#expiresInMs = facts.expiresInMs
    this.#sender = sender
    this.#driver = driver
    this.#settle = settle
  }

  acknowledge(): void {
    this.#settle(true)
  }

  requeue(): void {
    this.#settle(false)
  }

  async reply(reply: RPCReply): Promise<void> {
    const replyTo = this.#replyTo
    if (replyTo === undefined) return
    const body = encodeJson(reply.failure === null ? { result: reply.result ?? null } : { failure: reply.failure })
    const deadline = Deadline.after(Math.max(1000, this.#expiresInMs ?? REPLY_MS), { clock: this.#driver.clock })
    if (await this.#tryReply(replyTo, body, deadline)) return
    // The caller may be on its way back from a lost connection; no worker waits for that.
    void this.#insist(replyTo, body, deadline)
  }

  async heartbeat(): Promise<boolean> {
    if (this.#replyTo === undefined) return false
    const beat = { subject: this.#replyTo, body: '', headers: { [DRIVER_HEADERS.beat]: '1' } }
    try {
      const deadline = Deadline.after(BEAT_MS, { clock: this.#driver.clock })
      return await this.#sender.hand(beat, { deadline, retries: null })
    } catch {
      // The connection is being mended: nothing is known of the caller, so the next one may reach it.
      return true
    }
  }

  async #insist(replyTo: string, body: string, deadline: Deadline): Promise<void> {
    const backoff = createBackoff({ initialMs: 100, factor: 2, maxMs: 1000, random: this.#driver.random })
    try {
      do await deadline.sleep(backoff.next(), { phase: 'reply', delivery: 'not-sent' })
      while (!(await this.#tryReply(replyTo, body, deadline)))
    } catch (error) {
      this.#abandon(replyTo, error)
    }
  }

  /** A reply that may be there already does no harm a second time: the caller takes the first. */
  async #tryReply(replyTo: string, body: string, deadline: Deadline): Promise<boolean> {
    try {
      return await this.#sender.hand({ subject: replyTo, body, headers: {} }, { deadline, retries: null })
    } catch (error) {
      if (isMessagingError(error, 'DELIVERY')) return false
      this.#abandon(replyTo, error)
      return true
    }
  }

  #abandon(replyTo: string, error: unknown): void {
    emitDiagnostic('oslo-messaging:reply-abandoned', () => ({ driver: 'nats', replyTo, error }))
  }
}
