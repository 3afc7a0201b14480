import {
  Deadline,
  type DriverContext,
  emitDiagnostic,
  encodeJson,
  type IncomingRequest,
  isMessagingError,
  type MessageContext,
  type RPCReply,
} from '@oslo-messaging/core/driver'
import type { RedisOptions } from '../config.ts'
import type { Taken } from '../receive/intake.ts'
import type { Sender } from '../send/sender.ts'
import type { Body } from '../wire/body.ts'
import { FIELDS, numberOf, readHeaders } from '../wire/fields.ts'

/** Longest time that a reply is tried when the caller did not say how long it waits. */
const REPLY_MS = 60_000
const BEAT_MS = 5000
/** Replies that one client leaves unread are cut off beyond these. */
const MOST_REPLIES = 100_000

/** What a request needs of its listener. */
export interface RequestParts {
  readonly sender: Sender
  readonly context: DriverContext<RedisOptions>
  /** Settled once it is finished, not when it is acknowledged. */
  readonly isLate: boolean
  /** What is left of the caller's time. */
  readonly expiresInMs: number | undefined
  readonly settle: (isDone: boolean) => void
  /** Aborts when the connection is lost that it came by. */
  readonly signal: AbortSignal
}

/** One request at a server. */
export class Request implements IncomingRequest {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly redelivered: boolean
  readonly signal: AbortSignal
  readonly expectsReply: boolean
  readonly callMonitorTimeout: number | null
  declare readonly headers?: Readonly<Record<string, string>>
  declare readonly expiresInMs?: number
  declare readonly uniqueId?: string
  readonly #replyTo: string | undefined
  readonly #parts: RequestParts

  constructor(body: Body, { entry, redelivered }: Taken, parts: RequestParts) {
    const { fields } = entry
    this.context = body.context
    this.message = body.message
    this.redelivered = redelivered
    this.signal = parts.signal
    this.#replyTo = fields[FIELDS.replyTo]
    this.expectsReply = this.#replyTo !== undefined
    this.callMonitorTimeout = numberOf(fields, FIELDS.monitor) ?? null
    const headers = readHeaders(fields)
    if (headers !== undefined) this.headers = headers
    const uniqueId = fields[FIELDS.id]
    if (uniqueId !== undefined) this.uniqueId = uniqueId
    if (parts.expiresInMs !== undefined) this.expiresInMs = parts.expiresInMs
    this.#parts = parts
  }

  acknowledge(): void {
    if (!this.#parts.isLate) this.#parts.settle(true)
  }

  finished(): void {
    if (this.#parts.isLate) this.#parts.settle(true)
  }

  requeue(): void {
    this.#parts.settle(false)
  }

  async reply(reply: RPCReply): Promise<void> {
    if (this.#replyTo === undefined) return
    const body = encodeJson(reply.failure === null ? { result: reply.result ?? null } : { failure: reply.failure })
    try {
      const waitMs = Math.max(1000, this.#parts.expiresInMs ?? REPLY_MS)
      if (!(await this.#answer({ [FIELDS.body]: body }, waitMs))) this.#abandon(undefined)
    } catch (error) {
      this.#abandon(error)
    }
  }

  async heartbeat(): Promise<boolean> {
    try {
      return await this.#answer({}, BEAT_MS)
    } catch {
      // The connection is being mended: nothing is known of the caller, so the next one may reach it.
      return true
    }
  }

  /** False: the client looks after its stream no more. */
  async #answer(fields: Readonly<Record<string, string>>, waitMs: number): Promise<boolean> {
    const stream = this.#replyTo
    if (stream === undefined) return false
    const deadline = Deadline.after(waitMs, { clock: this.#parts.context.clock })
    for (;;) {
      try {
        return await this.#parts.sender.add(
          { stream, fields: { [FIELDS.id]: this.uniqueId ?? '', ...fields } },
          { deadline, retries: null, makes: false, isForClient: true, trim: () => ['MAXLEN', '~', MOST_REPLIES] },
        )
      } catch (error) {
        // A reply that may be there already does no harm a second time: the caller takes the first.
        if (!isMessagingError(error, 'DELIVERY')) throw error
      }
    }
  }

  #abandon(error: unknown): void {
    const replyTo = this.#replyTo ?? ''
    emitDiagnostic('oslo-messaging:reply-abandoned', () => ({
      driver: 'redis',
      replyTo,
      ...(error === undefined ? {} : { error }),
    }))
  }
}
