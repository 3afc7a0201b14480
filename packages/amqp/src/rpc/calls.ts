import { randomUUID } from 'node:crypto'
import {
  type ComponentHealth,
  type DriverContext,
  type OutgoingRequest,
  ReplyPathLost,
  type RPCReply,
  type SendOptions,
  type Target,
} from '@oslo-messaging/core/driver'
import type { AmqpOptions } from '../config.ts'
import type { AmqpConnection } from '../topology/amqp-connection.ts'
import type { Publisher } from '../send/publisher.ts'
import { ReplyLink } from './reply-link.ts'
import { newProgress, type OutgoingMessage } from '../send/outgoing-message.ts'

/** Requests that wait for their reply. The link for replies is opened with the first of them. */
export class Calls {
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #publisher: Publisher
  readonly #preSettled: boolean
  readonly #maxMessageSize: number
  #replies: ReplyLink | undefined

  constructor(
    connection: AmqpConnection,
    context: DriverContext<AmqpOptions>,
    publisher: Publisher,
    maxMessageSize: number,
  ) {
    this.#maxMessageSize = maxMessageSize
    this.#connection = connection
    this.#context = context
    this.#publisher = publisher
    this.#preSettled = context.options.pre_settled.includes('rpc-call')
  }

  /** Resolves with the reply. `body` is the request, encoded. */
  call(target: Target, request: OutgoingRequest, body: string, options: SendOptions): Promise<RPCReply> {
    const replies = (this.#replies ??= new ReplyLink(this.#connection, this.#context, this.#maxMessageSize))
    return (
      this.#callNow(replies, { target, request, body, options }) ??
      this.#callLater(replies, { target, request, body, options })
    )
  }

  health(): ComponentHealth | undefined {
    return this.#replies?.health()
  }

  /** What still waits rejects with `error`. */
  close(error: () => Error): void {
    this.#replies?.close(error)
  }

  /** The usual case: the links are there and have credit. The reply's waiter keeps the time for both ways. Undefined
   *  when something has to be waited for first. */
  #callNow(replies: ReplyLink, call: Call): Promise<RPCReply> | undefined {
    const { current: replyTo, waiters } = replies
    if (replyTo === undefined) return undefined
    const { id, outgoing } = this.#prepare(replies, call, replyTo)
    replies.makeRoom()
    const isPosted = this.#publisher.post(outgoing, (failure) => {
      if (failure !== undefined) waiters.fail(id, failure.error)
    })
    return isPosted ? waiters.wait(id, waitOptions(call, outgoing)) : undefined
  }

  async #callLater(replies: ReplyLink, call: Call): Promise<RPCReply> {
    const { waiters } = replies
    const { deadline, retries } = call.options
    for (;;) {
      if (this.#connection.current === undefined) await this.#connection.live(deadline, retries)
      const replyTo = replies.current ?? (await replies.address(deadline, retries))
      const { id, outgoing } = this.#prepare(replies, call, replyTo)
      const reply = waiters.wait(id, waitOptions(call, outgoing))
      replies.makeRoom()
      // The reply decides; when the send fails first, the waiter is told and `reply` rejects with that.
      this.#publisher.send(outgoing).catch((error: unknown) => waiters.fail(id, error))
      try {
        return await reply
      } catch (error) {
        // Not sent: the request waits for the next address for replies instead of going out with one that is gone.
        if (!(error instanceof ReplyPathLost && outgoing.progress.delivery === 'not-sent')) throw error
      }
    }
  }

  #prepare(replies: ReplyLink, call: Call, replyTo: string): { id: string; outgoing: OutgoingMessage } {
    const { target, request, body, options } = call
    const { deadline, retries, expiresInMs } = options
    const id = randomUUID().replaceAll('-', '')
    const message = {
      message_id: id,
      reply_to: replyTo,
      body,
      ttl: expiresInMs === null ? undefined : Math.ceil(expiresInMs),
      application_properties: request.headers,
    }
    const outgoing: OutgoingMessage = {
      to: { target, service: 'rpc' },
      message,
      bytes: Buffer.byteLength(body),
      deadline,
      retries,
      connectRetries: retries,
      preSettled: this.#preSettled,
      progress: newProgress(),
      isWanted: () => replies.waiters.has(id),
    }
    return { id, outgoing }
  }
}

interface Call {
  readonly target: Target
  readonly request: OutgoingRequest
  readonly body: string
  readonly options: SendOptions
}

const waitOptions = (
  { options }: Call,
  { progress }: OutgoingMessage,
): Parameters<ReplyLink['waiters']['wait']>[1] => ({
  deadline: options.deadline,
  callMonitorTimeoutMs: options.callMonitorTimeoutMs,
  progress: () => progress,
})
