import { randomUUID } from 'node:crypto'
import {
  ClosedError,
  createBackoff,
  type DriverContext,
  emitDiagnostic,
  encodeJson,
  MessageUndeliverable,
  type OutgoingRequest,
  ReplyPathLost,
  ReplyWaiters,
  type RPCReply,
  type SendOptions,
  type Target,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import type { Entry, Link } from '../client/link.ts'
import type { RedisOptions } from '../config.ts'
import type { Connection } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import type { Sender } from '../send/sender.ts'
import type { Names } from '../topology/names.ts'
import { readReply } from '../wire/body.ts'
import { FIELDS, writeHeaders } from '../wire/fields.ts'
import { Replies } from './replies.ts'

const DECLARE: WaitFacts = { phase: 'declare', delivery: 'not-sent' }

/** Requests out and their replies in. */
export class Caller {
  readonly #connection: () => Connection
  readonly #sender: () => Sender
  readonly #names: Names
  readonly #context: DriverContext<RedisOptions>
  readonly #waiters: ReplyWaiters
  readonly #replies: Replies
  /** Calls whose request the server has, or may have. */
  readonly #sent = new Set<string>()

  constructor(connection: () => Connection, sender: () => Sender, names: Names, context: DriverContext<RedisOptions>) {
    this.#connection = connection
    this.#sender = sender
    this.#names = names
    this.#context = context
    this.#waiters = new ReplyWaiters(context.clock)
    this.#replies = new Replies(
      names,
      context,
      (entry) => this.#onReply(entry),
      () => this.#onRepliesLost(),
    )
  }

  async onOpened(link: Link): Promise<void> {
    await this.#replies.onOpened(link)
  }

  async send(target: Target, request: OutgoingRequest, options: SendOptions): Promise<RPCReply | undefined> {
    const { context, message, headers } = request
    const { waitForReply, deadline, expiresInMs, callMonitorTimeoutMs, atLeastOnce, retries } = options
    const id = randomUUID()
    const stream = this.#streamOf(target)
    const outgoing = {
      stream,
      fields: {
        [FIELDS.body]: encodeJson({ context, message }),
        ...writeHeaders(headers),
        ...(expiresInMs === null ? {} : { [FIELDS.expires]: String(Math.ceil(expiresInMs)) }),
        ...(callMonitorTimeoutMs === null ? {} : { [FIELDS.monitor]: String(callMonitorTimeoutMs / 1000) }),
        ...(waitForReply ? { [FIELDS.replyTo]: this.#replies.key, [FIELDS.id]: id } : {}),
      },
    }
    const terms = {
      deadline,
      retries,
      makes: false,
      ...(target.fanout ? { trim: () => ['MAXLEN', '~', this.#context.options.fanout_length] } : {}),
    }
    if (!waitForReply) {
      const isTaken = await this.#sender().add(outgoing, terms)
      if (!isTaken && atLeastOnce) throw undeliverable(target, stream)
      return undefined
    }
    let progress: WaitFacts = DECLARE
    const facts = { deadline, callMonitorTimeoutMs, progress: () => progress }
    const reply = this.#waiters.call(id, facts, async () => {
      await this.#makeReplies(options)
      const backoff = createBackoff({ initialMs: 50, factor: 2, maxMs: 1000, random: this.#context.random })
      const onLeft = (): void => {
        progress = { phase: 'confirm', delivery: 'unknown' }
        this.#sent.add(id)
      }
      while (!(await this.#sender().add(outgoing, terms, onLeft))) {
        // No server has ever made the stream, so nothing was kept: whoever comes to serve the topic gets it.
        progress = { phase: 'publish', delivery: 'not-sent', waitingFor: `server of ${target.topic}` }
        this.#sent.delete(id)
        if (atLeastOnce) throw undeliverable(target, stream)
        await deadline.sleep(backoff.next(), progress)
      }
      progress = { phase: 'reply', delivery: 'confirmed' }
    })
    try {
      return await reply
    } finally {
      this.#sent.delete(id)
    }
  }

  async close(): Promise<void> {
    this.#waiters.failAll(
      (_, facts) => new ClosedError('The driver was closed while the reply was waited for', { ...facts }),
    )
    await this.#replies.close()
  }

  async #makeReplies({ deadline, retries }: SendOptions): Promise<void> {
    for (;;) {
      const link = await this.#connection().ready(deadline, DECLARE, { retries })
      try {
        await deadline.race(this.#replies.want(link), DECLARE)
        return
      } catch (error) {
        // The next link is made ready by itself.
        if (link.isOpen) throw mapError(error, link.host)
      }
    }
  }

  #onReply({ fields }: Entry): void {
    const id = fields[FIELDS.id] ?? ''
    if (fields[FIELDS.body] === undefined) {
      this.#waiters.heartbeat(id)
      return
    }
    let reply: RPCReply
    try {
      reply = readReply(fields[FIELDS.body])
    } catch (error) {
      this.#drop(id, 'unreadable', error)
      return
    }
    if (!this.#waiters.settle(id, reply)) this.#drop(id, 'late-reply')
  }

  #onRepliesLost(): void {
    for (const id of this.#sent)
      this.#waiters.fail(
        id,
        new ReplyPathLost('The stream of replies was gone when the connection came back (reply_expires)'),
      )
  }

  #drop(uniqueId: string, reason: 'unreadable' | 'late-reply', error?: unknown): void {
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: 'redis',
      source: 'replies',
      reason,
      uniqueId,
      ...(error === undefined ? {} : { error }),
    }))
  }

  #streamOf(target: Target): string {
    if (target.fanout) return this.#names.allServers(target)
    return target.server === null ? this.#names.anyServer(target) : this.#names.server(target)
  }
}

function undeliverable(target: Target, stream: string): MessageUndeliverable {
  return new MessageUndeliverable(`Nobody serves ${target.toString()}`, { routingKey: stream })
}
