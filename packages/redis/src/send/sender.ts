import {
  type Clock,
  type Deadline,
  MessageDeliveryFailure,
  type OutstandingLimit,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import { type Link, LinkLost } from '../client/link.ts'
import { ADD } from '../client/scripts.ts'
import type { Connection } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import { channelOf } from '../topology/names.ts'
import { Lane } from './lane.ts'

const CONNECT: WaitFacts = { phase: 'connect', delivery: 'not-sent' }
const CONFIRM: WaitFacts = { phase: 'confirm', delivery: 'unknown' }
/** Bytes of a message besides its fields, about. */
const OVERHEAD = 128

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

/** From a message to the server's word that it has it. */
export class Sender {
  readonly #connection: Connection
  readonly #limit: OutstandingLimit
  readonly #clock: Clock
  readonly #lane = new Lane()

  constructor(connection: Connection, clock: Clock, limit: OutstandingLimit) {
    this.#connection = connection
    this.#clock = clock
    this.#limit = limit
  }

  /** Resolves once the server has it: true when the stream took it, false when there is no such stream. `onLeft`: it is
   *  being written. */
  async add({ stream, fields }: Outgoing, terms: Terms, onLeft?: () => void): Promise<boolean> {
    const { deadline, retries, makes, trim, isForClient = false } = terms
    const pairs = Object.entries(fields).flat()
    const bytes = pairs.reduce((sum, text) => sum + Buffer.byteLength(text), OVERHEAD)
    const startedAt = this.#clock.now()
    let isAdmitted = false
    let hasLeft = false
    const arrive = async (): Promise<Link> => {
      deadline.check(CONNECT)
      if (!this.#limit.tryAcquire(bytes)) await this.#limit.acquire(bytes, deadline)
      isAdmitted = true
      return await this.#connection.ready(deadline, CONNECT, { retries })
    }
    try {
      // Wrapped, because a promise that is returned would hold the place in the lane until the server has answered.
      const { left } = await this.#lane.run(deadline, arrive, (link) => {
        hasLeft = true
        onLeft?.()
        const cut = trim?.(link) ?? []
        if (!isForClient) return { left: link.ask('EVAL', ADD, 1, stream, makes ? 1 : 0, cut.length, ...cut, ...pairs) }
        const added = link.ask('XADD', stream, ...(makes ? [] : ['NOMKSTREAM']), ...cut, '*', ...pairs)
        link.ask('PUBLISH', channelOf(link.database, stream), 'new').catch(() => undefined)
        return { left: added }
      })
      return (await deadline.race(left, CONFIRM)) !== null
    } catch (error) {
      if (!hasLeft || deadline.signal?.aborted || deadline.expired) throw error
      const cause = mapError(error, this.#connection.host)
      // What the server refused it does not have.
      if (!(error instanceof LinkLost)) throw cause
      throw new MessageDeliveryFailure(`It is not known whether the server has the message: ${cause.message}`, {
        ...CONFIRM,
        retryable: true,
        attempts: 1,
        elapsedMs: Math.round(this.#clock.now() - startedAt),
        cause,
      })
    } finally {
      if (isAdmitted) this.#limit.release(bytes)
    }
  }
}

/** What XADD cuts off a stream whose messages are kept so long; nothing for null. */
export function keptBy(maxAgeMs: number | null): NonNullable<Terms['trim']> {
  return (link) => (maxAgeMs === null ? [] : ['MINID', '~', Math.max(0, Math.floor(link.serverTime - maxAgeMs))])
}
