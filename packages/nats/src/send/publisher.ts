import { randomUUID } from 'node:crypto'
import {
  type Clock,
  encodeJson,
  isMessagingError,
  type MessagingError,
  MessagingTimeout,
  type NotifyOptions,
  type OutgoingNotification,
  type Target,
  TransportDriverError,
  wrapEnvelope,
} from '@oslo-messaging/core/driver'
import { type Arrival, isRefusal, type Link } from '../client/link.ts'
import { DUPLICATE_WINDOW_MS, type JetStream } from '../client/jet-stream.ts'
import { mapError } from '../connection/map-error.ts'
import type { Names } from '../topology/names.ts'
import { writeHeaders } from '../wire/headers.ts'
import type { Outgoing, Sender, SendTerms } from './sender.ts'

/** Sent again so long after the first time, a message might be stored twice. */
const SAFE_TO_REPEAT_MS = DUPLICATE_WINDOW_MS / 2

/** Notifications out: stored by JetStream once, whatever happens to the connection on the way. */
export class Publisher {
  readonly #sender: Sender
  readonly #jetStream: JetStream
  readonly #names: Names
  readonly #clock: Clock

  constructor(sender: Sender, jetStream: JetStream, names: Names, clock: Clock) {
    this.#sender = sender
    this.#jetStream = jetStream
    this.#names = names
    this.#clock = clock
  }

  async publish(target: Target, notification: OutgoingNotification, options: NotifyOptions): Promise<void> {
    const { context, message, headers } = notification
    const text = encodeJson({ context, message })
    const body = options.version === '2.0' ? wrapEnvelope(text) : text
    const subject = this.#names.notification(target)
    const { stream } = this.#names
    await this.store({ subject, body, headers: writeHeaders(headers) }, options, async (link) => {
      await this.#jetStream.stream(link, 'notify', stream, this.#names.all('notify'))
      // JetStream forgets at once what no consumer wants: this one keeps it for listeners to come.
      await this.#jetStream.consumer(link, stream, this.#names.consumer(target, null), subject, null)
    })
  }

  /** Stores a copy among the dead letters. */
  async bury(outgoing: Outgoing, terms: SendTerms): Promise<void> {
    await this.store(outgoing, terms, (link) =>
      this.#jetStream.stream(link, 'dead', this.#names.deadLetters, this.#names.all('dead')),
    )
  }

  /** Resolves when JetStream has stored it, once. `declare` makes what it needs. */
  async store(outgoing: Outgoing, terms: SendTerms, declare: (link: Link) => Promise<void>): Promise<void> {
    // JetStream stores a message with this id once, so it may be sent again when a connection is lost.
    const numbered = { ...outgoing, headers: { ...outgoing.headers, 'Nats-Msg-Id': randomUUID() } }
    let link: Link | undefined
    let sentAt: number | undefined
    let unknown: MessagingError | undefined
    const prepare = async (next: Link): Promise<void> => {
      link = next
      try {
        await declare(next)
      } catch (error) {
        throw mapError(error, next.host)
      }
      sentAt ??= this.#clock.now()
    }
    for (let retries = terms.retries; ; retries = retries === null ? null : retries - 1) {
      const isFirst = sentAt === undefined
      try {
        const answer = await this.#sender.ask(numbered, { ...terms, retries }, prepare)
        if (!isRefusal(answer)) return accept(answer, link?.host)
        // The stream has been deleted since this link was opened. Nothing was stored; it is declared anew.
        if (link !== undefined) this.#jetStream.forget(link)
        if (!isFirst)
          throw new TransportDriverError(`No stream takes ${outgoing.subject}`, {
            phase: 'publish',
            delivery: 'not-sent',
          })
      } catch (error) {
        const isUnknown = isMessagingError(error, 'DELIVERY') && error.delivery === 'unknown'
        const isFresh = sentAt !== undefined && this.#clock.now() - sentAt < SAFE_TO_REPEAT_MS
        if (!isUnknown || !isFresh || retries === 0 || terms.deadline.expired) throw afterwards(error, unknown)
        unknown = error
      }
    }
  }
}

/** What has left once may have arrived, whatever the next try waited for in vain. */
function afterwards(error: unknown, unknown: MessagingError | undefined): unknown {
  if (unknown === undefined || !isMessagingError(error) || error.delivery !== 'not-sent') return error
  if (!isMessagingError(error, 'TIMEOUT')) return unknown
  return new MessagingTimeout(error.message, { phase: 'confirm', delivery: 'unknown', cause: unknown })
}

/** JetStream's answer to a publish. Throws what it says against it: nothing is stored then. */
function accept({ body }: Arrival, host: string | undefined): void {
  const answer = JSON.parse(new TextDecoder().decode(body)) as {
    readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string }
  }
  if (answer.error === undefined) return
  const { code, err_code: brokerCode, description } = answer.error
  throw new TransportDriverError(`JetStream did not store the message: ${description ?? 'no reason given'}`, {
    host,
    phase: 'confirm',
    delivery: 'not-sent',
    brokerCode,
    retryable: code === 503,
  })
}
