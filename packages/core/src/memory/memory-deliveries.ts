import type { IncomingNotification, IncomingRequest, MessageContext, RPCReply } from '../driver/messages.ts'
import { FAILURE_HEADERS, failedAttemptsOf, type FailureFacts } from '../driver/failure.ts'
import { DONE } from '../util/promise.ts'
import { encodeJson } from '../wire/json.ts'
import type { ReplyAddress, StoredBody, StoredMessage } from './memory-queue.ts'
import type { Settlement } from './memory-subscription.ts'

/** Hands a reply to the client's side; resolves when it is there or given up. */
export type ReplySender = (
  request: MemoryRequest,
  address: ReplyAddress,
  resultText: string | null,
  failure: string | null,
) => Promise<void>

/** One request at a server. */
export class MemoryRequest implements IncomingRequest {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly redelivered: boolean
  readonly deliveryCount: number
  readonly uniqueId: string
  readonly callMonitorTimeout: number | null
  declare readonly headers?: Readonly<Record<string, string>>
  readonly #settlement: Settlement
  readonly #sendReply: ReplySender
  declare readonly expiresInMs?: number
  readonly isFanout: boolean
  declare readonly finished?: () => void

  /** `isLate`: settled when it is finished, not when it is acknowledged. */
  constructor(
    body: StoredBody,
    settlement: Settlement,
    sendReply: ReplySender,
    { isLate, isFanout }: { readonly isLate: boolean; readonly isFanout: boolean },
  ) {
    const { message } = settlement.entry
    this.isFanout = isFanout
    if (message.expiresAt !== Infinity) this.expiresInMs = Math.max(0, message.expiresAt - message.clock.now())
    // Only then: a server waits for the end of what has to be told of it.
    if (isLate) this.finished = () => settlement.acknowledge()
    this.context = body.context
    this.message = body.message
    this.redelivered = settlement.deliveriesBefore > 0
    this.deliveryCount = settlement.deliveriesBefore
    this.uniqueId = message.uniqueId
    this.callMonitorTimeout = message.callMonitorTimeout
    if (message.headers !== undefined) this.headers = message.headers
    this.#settlement = settlement
    this.#sendReply = sendReply
  }

  get signal(): AbortSignal | undefined {
    return this.#settlement.signal
  }

  get expectsReply(): boolean {
    return this.#settlement.entry.message.replyTo !== null
  }

  acknowledge(): void {
    if (this.finished === undefined) this.#settlement.acknowledge()
  }

  requeue(): void {
    this.#settlement.requeue()
  }

  reply(reply: RPCReply): Promise<void> {
    const { replyTo } = this.#settlement.entry.message
    if (replyTo === null) return DONE
    try {
      const resultText = reply.failure === null ? encodeJson(reply.result ?? null) : null
      return this.#sendReply(this, replyTo, resultText, reply.failure)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async heartbeat(): Promise<boolean> {
    return this.#settlement.entry.message.replyTo?.heartbeat(this.uniqueId) ?? false
  }
}

/** One notification at a listener. */
export class MemoryNotification implements IncomingNotification {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly redelivered: boolean
  readonly deliveryCount: number
  readonly uniqueId: string
  readonly priority: string
  declare readonly headers?: Readonly<Record<string, string>>
  declare readonly failedAttempts?: number
  declare readonly orderingKey?: string
  readonly #settlement: Settlement
  readonly #keep: (letter: StoredMessage) => void

  /** `keep` stores a dead letter. */
  constructor(body: StoredBody, settlement: Settlement, priority: string, keep: (letter: StoredMessage) => void) {
    const { message } = settlement.entry
    const failedAttempts = failedAttemptsOf(message.headers)
    if (failedAttempts > 0) this.failedAttempts = failedAttempts
    if (message.orderingKey !== undefined) this.orderingKey = message.orderingKey
    this.#keep = keep
    this.context = body.context
    this.message = body.message
    this.redelivered = settlement.deliveriesBefore > 0
    this.deliveryCount = settlement.deliveriesBefore
    this.uniqueId = message.uniqueId
    this.priority = priority
    if (message.headers !== undefined) this.headers = message.headers
    this.#settlement = settlement
  }

  get signal(): AbortSignal | undefined {
    return this.#settlement.signal
  }

  acknowledge(): void {
    this.#settlement.acknowledge()
  }

  requeue(): void {
    this.#settlement.requeue()
  }

  async bury({ headers }: FailureFacts): Promise<void> {
    if (!this.#settlement.isOpen) return
    const { message } = this.#settlement.entry
    const origin = { [FAILURE_HEADERS.origin]: this.#settlement.queueName }
    this.#keep({ ...message, headers: { ...message.headers, ...headers, ...origin } })
    this.#settlement.acknowledge()
  }
}
