import type { IncomingRequest, MessageContext, RPCReply } from '@oslo-messaging/core/driver'
import { type Delivery, headerFacts } from '../receive/delivery.ts'
import { reportDropped } from '../receive/dropped.ts'
import { Duplicates } from '../receive/duplicates.ts'
import { type DecodedRequest, decodeBody, encodeHeartbeat, encodeReply, splitRequest } from '../wire/message.ts'
import type { ReplySender } from './reply-sender.ts'
import type { Runtime } from '../connection/runtime.ts'

/** Turns the deliveries of an RPC server into requests. What cannot be read is refused, what came before is
 *  acknowledged; both are reported, neither is delivered. */
export class RequestReader {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #replies: ReplySender
  readonly #onMessage: (request: IncomingRequest) => void
  /** Ids a worker has taken. */
  readonly #taken: Duplicates
  /** Ids delivered and not yet taken. */
  readonly #held = new Set<string>()
  /** Requests under way that are acknowledged when they are over. */
  readonly #running = new Map<string, RabbitRequest>()

  readonly acknowledge: 'before' | 'after'
  readonly #fanoutQueues: ReadonlySet<string>

  constructor(
    runtime: Runtime,
    name: string,
    replies: ReplySender,
    acknowledge: 'before' | 'after',
    fanoutQueues: ReadonlySet<string>,
    onMessage: (request: IncomingRequest) => void,
  ) {
    this.#runtime = runtime
    this.#fanoutQueues = fanoutQueues
    this.acknowledge = acknowledge
    this.#name = name
    this.#replies = replies
    this.#onMessage = onMessage
    this.#taken = new Duplicates(runtime, name)
  }

  read(delivery: Delivery): void {
    let decoded: DecodedRequest
    try {
      decoded = splitRequest(
        decodeBody(delivery.properties, delivery.body, this.#runtime.settings.maxDecompressedBytes),
      )
    } catch (error) {
      delivery.discard()
      return reportDropped(this.#runtime, this.#name, 'unreadable', { error })
    }
    const { uniqueId } = decoded
    const running = uniqueId === null ? undefined : this.#running.get(uniqueId)
    // Taken back by the broker while its method runs here, and delivered again: the end of the method settles this
    // delivery instead.
    if (running?.isTakenBack === true) return running.adopt(delivery)
    if (uniqueId !== null && (running !== undefined || this.#taken.has(uniqueId) || this.#held.has(uniqueId))) {
      delivery.acknowledge()
      return this.#taken.reportHeldBack(uniqueId)
    }
    if (uniqueId !== null) {
      this.#taken.reportAgain(uniqueId)
      this.#held.add(uniqueId)
    }
    this.#onMessage(new RabbitRequest(delivery, decoded, this.#replies, this))
  }

  /** Whether each server of the topic gets a copy. */
  isFanout({ queue }: Delivery): boolean {
    return this.#fanoutQueues.has(queue)
  }

  /** The broker has taken back what was held, and will deliver it again. */
  revoked(): void {
    this.#held.clear()
  }

  /** A worker has it; `request` is given when it is to be acknowledged later. */
  taken(uniqueId: string | null, request?: RabbitRequest): void {
    if (uniqueId === null) return
    if (request !== undefined) this.#running.set(uniqueId, request)
    this.#held.delete(uniqueId)
    this.#taken.add(uniqueId)
  }

  /** A request that was acknowledged when it was over. */
  over(uniqueId: string | null): void {
    if (uniqueId !== null) this.#running.delete(uniqueId)
  }

  handedBack(uniqueId: string | null): void {
    if (uniqueId !== null) this.#held.delete(uniqueId)
  }
}

class RabbitRequest implements IncomingRequest {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly expectsReply: boolean
  readonly callMonitorTimeout: number | null
  readonly redelivered: boolean
  readonly deliveryCount?: number
  readonly uniqueId?: string
  readonly expiresInMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly isFanout: boolean
  #delivery: Delivery
  readonly #replies: ReplySender
  readonly #reader: RequestReader
  readonly #msgId: string | null
  readonly #replyQueue: string | null
  /** There when the request is acknowledged after it was handled. */
  readonly finished?: () => void
  #replied = false

  constructor(delivery: Delivery, decoded: DecodedRequest, replies: ReplySender, reader: RequestReader) {
    this.isFanout = reader.isFanout(delivery)
    this.context = decoded.context
    this.message = decoded.message
    this.callMonitorTimeout = decoded.callMonitorTimeout
    this.redelivered = delivery.redelivered
    if (decoded.uniqueId !== null) this.uniqueId = decoded.uniqueId
    const expiration = Number(delivery.properties.expiration)
    if (expiration >= 0) this.expiresInMs = expiration
    const { deliveryCount, traced } = headerFacts(delivery)
    if (deliveryCount !== undefined) this.deliveryCount = deliveryCount
    if (traced !== undefined) this.headers = traced
    this.#delivery = delivery
    this.#replies = replies
    this.#reader = reader
    this.#msgId = decoded.msgId
    this.#replyQueue = decoded.replyQueue
    this.expectsReply = this.#msgId !== null && this.#replyQueue !== null
    if (reader.acknowledge === 'after')
      this.finished = () => {
        if (!this.#replied) this.#settle()
      }
  }

  /** Until it is settled the broker may take it back; from then on it is this server's alone. */
  get signal(): AbortSignal | undefined {
    return this.#delivery.isSettled ? undefined : this.#delivery.signal
  }

  acknowledge(): void {
    if (this.#delivery.isSettled) return
    if (this.finished === undefined) {
      this.#delivery.acknowledge()
      this.#reader.taken(this.uniqueId ?? null)
    } else this.#reader.taken(this.uniqueId ?? null, this)
  }

  /** Whether the broker has taken the delivery back: it comes again. */
  get isTakenBack(): boolean {
    return this.#delivery.signal.aborted
  }

  /** The same request, delivered again. */
  adopt(delivery: Delivery): void {
    this.#delivery = delivery
  }

  requeue(): void {
    if (this.#delivery.isSettled) return
    this.#delivery.requeue()
    this.#reader.handedBack(this.uniqueId ?? null)
  }

  async reply(reply: RPCReply): Promise<void> {
    if (this.#msgId === null || this.#replyQueue === null || this.#replied) return
    const encoded = encodeReply(reply, this.#msgId, this.#replies.allocate)
    this.#replied = true
    await this.#replies.send(this.#replyQueue, encoded)
    if (this.finished !== undefined) this.#settle()
  }

  async heartbeat(): Promise<boolean> {
    if (this.#msgId === null || this.#replyQueue === null || this.#replied) return false
    return await this.#replies.sendOnce(this.#replyQueue, encodeHeartbeat(this.#msgId))
  }

  /** It was handled: the broker may forget it. */
  #settle(): void {
    this.#delivery.acknowledge()
    this.#reader.over(this.uniqueId ?? null)
  }
}
