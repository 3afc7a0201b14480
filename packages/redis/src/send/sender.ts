import {
  type Clock,
  type Deadline,
  isMessagingError,
  MessageDeliveryFailure,
  type MessagingError,
  OutstandingLimit,
  SendLine,
  TransportDriverError,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import { type Link, LinkLost } from '../client/link.ts'
import { ADD } from '../client/scripts.ts'
import type { RedisOptions } from '../config.ts'
import type { Connection } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import { channelOf } from '../topology/names.ts'

const CONNECT: WaitFacts = { phase: 'connect', delivery: 'not-sent' }
const PUBLISH: WaitFacts = { phase: 'publish', delivery: 'not-sent' }
const CONFIRM: WaitFacts = { phase: 'confirm', delivery: 'unknown' }
/** Bytes of a message besides its fields, about. */
const OVERHEAD = 128
/** The server keeps the numbers of messages ten times as long. */
const SAFE_TO_REPEAT_MS = 60_000

/** One message on its way to a stream. */
export interface Outgoing {
  readonly stream: string
  readonly fields: Readonly<Record<string, string>>
}

/** How it is written. */
export interface Terms {
  readonly deadline: Deadline
  /** Attempts after the first: null, no limit but the deadline. */
  readonly retries: number | null
  /** Makes the stream when there is none; else a stream that does not exist takes nothing. */
  readonly makes: boolean
  /** The stream has one reader and no groups: a client's replies. */
  readonly isForClient?: boolean
  /** What XADD is to cut off, and from the whole stream: `MAXLEN ~ 1000`. */
  readonly trim?: (link: Link) => readonly (string | number)[]
}

/** What a sender may have under way. */
export interface SenderLimits {
  readonly outstanding: OutstandingLimit
  /** Numbers of messages that the server remembers: more than may be under way. */
  readonly kept: number
}

/** What may be under way, as the options say. */
export function senderLimitsOf(options: RedisOptions): SenderLimits {
  const { max_outstanding_messages: maxMessages, max_outstanding_bytes: maxBytes } = options
  const remedy = 'await some of them before sending more, or raise [oslo_messaging_redis] max_outstanding_messages'
  return { outstanding: new OutstandingLimit({ maxMessages, maxBytes, remedy }), kept: maxMessages * 2 }
}

/** From a message to the server's word that it has it. */
export class Sender {
  readonly #connection: Connection
  readonly #kept: number
  readonly #clock: Clock
  /** Where the server keeps the numbers of this sender's messages. */
  readonly #numbers: string
  readonly #line: SendLine
  #number = 0

  constructor(connection: Connection, clock: Clock, numbers: string, limits: SenderLimits) {
    this.#connection = connection
    this.#clock = clock
    this.#numbers = numbers
    this.#kept = limits.kept
    this.#line = new SendLine({
      limit: limits.outstanding,
      ready: async (within, facts, options) => {
        await connection.ready(within, facts.delivery === 'not-sent' ? CONNECT : facts, options)
      },
      clock,
    })
  }

  /** Resolves once the server has it: true when the stream took it, false when there is no such stream. `onLeft`: it is
   *  being written. */
  async add({ stream, fields }: Outgoing, terms: Terms, onLeft?: () => void): Promise<boolean> {
    const { deadline, retries, makes, trim, isForClient = false } = terms
    const pairs = Object.entries(fields).flat()
    const bytes = pairs.reduce((sum, text) => sum + Buffer.byteLength(text), OVERHEAD)
    const number = ++this.#number
    const write = (link: Link): Promise<unknown> => {
      onLeft?.()
      const cut = trim?.(link) ?? []
      if (!isForClient) {
        const rules = [number, this.#kept, makes ? 1 : 0, cut.length, ...cut]
        return link.ask('EVAL', ADD, 2, stream, this.#numbers, ...rules, ...pairs)
      }
      const added = link.ask('XADD', stream, ...(makes ? [] : ['NOMKSTREAM']), ...cut, '*', ...pairs)
      link.ask('PUBLISH', channelOf(link.database, stream), 'new').catch(() => undefined)
      return added
    }
    const startedAt = this.#clock.now()
    // The server knows the number of a message that it has, so it is written once whatever became of the first try.
    const isRepeatable = (error: MessagingError): boolean =>
      isMessagingError(error, 'DELIVERY') && !isForClient && this.#clock.now() - startedAt < SAFE_TO_REPEAT_MS
    deadline.check(CONNECT)
    const added = await this.#line.send(bytes, { deadline, retries, isRepeatable }, async () => {
      const { link, host } = this.#connection
      if (link === undefined)
        throw new TransportDriverError(`The connection to ${host ?? 'the server'} was lost`, {
          ...PUBLISH,
          retryable: true,
        })
      try {
        return await write(link)
      } catch (error) {
        const cause = mapError(error, host)
        // What the server refused it does not have.
        if (!(error instanceof LinkLost)) throw cause
        throw new MessageDeliveryFailure(`It is not known whether the server has the message: ${cause.message}`, {
          ...CONFIRM,
          retryable: true,
          attempts: 1,
          elapsedMs: Math.round(this.#clock.now() - startedAt),
          cause,
        })
      }
    })
    return added !== null
  }
}

/** What XADD cuts off a stream whose messages are kept so long; nothing for null. */
export function keptBy(maxAgeMs: number | null): NonNullable<Terms['trim']> {
  return (link) => (maxAgeMs === null ? [] : ['MINID', '~', Math.max(0, Math.floor(link.serverTime - maxAgeMs))])
}
