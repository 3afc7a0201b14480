import { randomUUID } from 'node:crypto'
import {
  ClosedError,
  createBackoff,
  type DriverContext,
  emitDiagnostic,
  encodeJson,
  MessageUndeliverable,
  type OutgoingRequest,
  ReplyWaiters,
  type RPCReply,
  type SendOptions,
  type Target,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import type { Arrival } from '../client/link.ts'
import type { NatsOptions } from '../config.ts'
import type { Sender } from '../send/sender.ts'
import type { Names } from '../topology/names.ts'
import { readReply } from '../wire/body.ts'
import { DRIVER_HEADERS, writeHeaders } from '../wire/headers.ts'

/** Requests out and their replies in. */
export class Caller {
  readonly #sender: Sender
  readonly #names: Names
  readonly #inbox: string
  readonly #context: DriverContext<NatsOptions>
  readonly #waiters: ReplyWaiters

  constructor(sender: Sender, names: Names, inbox: string, context: DriverContext<NatsOptions>) {
    this.#sender = sender
    this.#names = names
    this.#inbox = inbox
    this.#context = context
    this.#waiters = new ReplyWaiters(context.clock)
  }

  async send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    const { context, message, headers } = request
    const { waitForReply, deadline, expiresInMs, callMonitorTimeoutMs } = options
    const subject = this.#subjectOf(target)
    const body = encodeJson({ context, message })
    const id = randomUUID()
    const own = {
      ...(expiresInMs === null ? {} : { [DRIVER_HEADERS.expires]: String(Math.ceil(expiresInMs)) }),
      ...(callMonitorTimeoutMs === null ? {} : { [DRIVER_HEADERS.monitor]: String(callMonitorTimeoutMs / 1000) }),
      ...(waitForReply ? { [DRIVER_HEADERS.replyTo]: `${this.#inbox}.${id}` } : {}),
    }
    const outgoing = { subject, body, headers: writeHeaders(headers, own) }
    if (!waitForReply) {
      const isTaken = await this.#sender.hand(outgoing, options)
      if (!isTaken && options.atLeastOnce) throw undeliverable(target, subject)
      return undefined
    }
    let progress: WaitFacts = { phase: 'publish', delivery: 'not-sent' }
    return await this.#waiters.call(id, { deadline, callMonitorTimeoutMs, progress: () => progress }, async () => {
      const backoff = createBackoff({ initialMs: 50, factor: 2, maxMs: 1000, random: this.#context.random })
      for (;;) {
        const onLeft = (): void => void (progress = { phase: 'confirm', delivery: 'unknown' })
        if (await this.#sender.hand(outgoing, options, onLeft)) break
        // The server has thrown it away, so sending it again doubles nothing: whoever comes to serve the topic gets it.
        progress = { phase: 'publish', delivery: 'not-sent', waitingFor: `server of ${target.topic}` }
        if (options.atLeastOnce) throw undeliverable(target, subject)
        await deadline.sleep(backoff.next(), progress)
      }
      progress = { phase: 'reply', delivery: 'confirmed' }
    })
  }

  /** A message for one of the calls; false when it is for none. */
  onAnswer(id: string, { headers, body }: Arrival): void {
    if (headers[DRIVER_HEADERS.beat] !== undefined) {
      this.#waiters.heartbeat(id)
      return
    }
    let reply: RPCReply
    try {
      reply = readReply(body)
    } catch (error) {
      this.#drop(id, 'unreadable', error)
      return
    }
    if (!this.#waiters.settle(id, reply)) this.#drop(id, 'late-reply')
  }

  close(): void {
    this.#waiters.failAll(
      (_, facts) => new ClosedError('The driver was closed while the reply was waited for', { ...facts }),
    )
  }

  #drop(uniqueId: string, reason: 'unreadable' | 'late-reply', error?: unknown): void {
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: 'nats',
      source: 'replies',
      reason,
      uniqueId,
      ...(error === undefined ? {} : { error }),
    }))
  }

  #subjectOf(target: Target): string {
    if (target.fanout) return this.#names.allServers(target)
    return target.server === null ? this.#names.anyServer(target) : this.#names.server(target)
  }
}

function undeliverable(target: Target, subject: string): MessageUndeliverable {
  return new MessageUndeliverable(`Nobody serves ${target.toString()}`, { routingKey: subject })
}
