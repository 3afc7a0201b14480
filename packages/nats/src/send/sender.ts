import { randomUUID } from 'node:crypto'
import {
  type Clock,
  createDeferred,
  type Deadline,
  Lane,
  MessageDeliveryFailure,
  OutstandingLimit,
  TransportDriverError,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import { type Arrival, isRefusal, type Link } from '../client/link.ts'
import type { NatsOptions } from '../config.ts'
import type { Connection } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'

const CONNECT: WaitFacts = { phase: 'connect', delivery: 'not-sent' }
const PUBLISH: WaitFacts = { phase: 'publish', delivery: 'not-sent' }
const CONFIRM: WaitFacts = { phase: 'confirm', delivery: 'unknown' }
/** Room for the names and values of headers when the largest message is judged. */
const HEADER_ROOM = 64

/** One message on its way to a subject. */
export interface Outgoing {
  readonly subject: string
  readonly body: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** How it is sent. */
export interface SendTerms {
  readonly deadline: Deadline
  /** Attempts after the first: null, no limit but the deadline. */
  readonly retries: number | null
}

/** What may be under way, as the options say. */
export function outstandingLimitOf(options: NatsOptions): OutstandingLimit {
  return new OutstandingLimit({
    maxMessages: options.max_outstanding_messages,
    maxBytes: options.max_outstanding_bytes,
    remedy: 'await some of them before sending more, or raise [oslo_messaging_nats] max_outstanding_messages',
  })
}

/** From a message to the server's word that it has it. */
export class Sender {
  readonly #connection: Connection
  readonly #limit: OutstandingLimit
  readonly #clock: Clock
  readonly #inbox: string
  readonly #lane = new Lane()
  readonly #answers = new Map<string, (arrival: Arrival) => void>()

  constructor(connection: Connection, inbox: string, clock: Clock, limit: OutstandingLimit) {
    this.#connection = connection
    this.#inbox = inbox
    this.#clock = clock
    this.#limit = limit
  }

  /** What came to the inbox; false when nobody waits for it. */
  onAnswer(token: string, arrival: Arrival): boolean {
    const take = this.#answers.get(token)
    take?.(arrival)
    return take !== undefined
  }

  /** Resolves once the server has it: true when somebody listens to the subject. `onLeft`: it is being written. */
  async hand(outgoing: Outgoing, terms: SendTerms, onLeft?: () => void): Promise<boolean> {
    return await this.#send(outgoing, terms, async (link, address, answer) => {
      link.publish(outgoing.subject, outgoing.body, outgoing.headers, address)
      onLeft?.()
      let refused = false
      void answer.then((arrival) => (refused = isRefusal(arrival)))
      // The server answers in order: its refusal would have come before the answer to the flush.
      await link.flush()
      return !refused
    })
  }

  /** Resolves with what the subject answers: JetStream's word that it has stored a message. `prepare` comes first, in
   *  its turn. */
  async ask(outgoing: Outgoing, terms: SendTerms, prepare: (link: Link) => Promise<void>): Promise<Arrival> {
    return await this.#send(
      outgoing,
      terms,
      async (link, address, answer) => {
        link.publish(outgoing.subject, outgoing.body, outgoing.headers, address)
        return await link.orLost(answer)
      },
      prepare,
    )
  }

  async #send<Result>(
    { body, headers }: Outgoing,
    { deadline, retries }: SendTerms,
    leave: (link: Link, address: string, answer: Promise<Arrival>) => Promise<Result>,
    prepare?: (link: Link) => Promise<void>,
  ): Promise<Result> {
    const bytes = Buffer.byteLength(body) + sizeOf(headers)
    const token = randomUUID()
    const { promise: answer, resolve } = createDeferred<Arrival>()
    const startedAt = this.#clock.now()
    let isAdmitted = false
    let hasLeft = false
    /** Where the message is under way. */
    let underWay: Link | undefined
    const arrive = async (): Promise<Link> => {
      deadline.check(CONNECT)
      for (;;) {
        const link = await this.#connection.ready(deadline, CONNECT, { retries })
        if (bytes > link.maxPayload)
          throw new TransportDriverError(
            `The message has ${bytes} bytes, and the server takes ${link.maxPayload} (max_payload)`,
            { phase: 'publish', delivery: 'not-sent', host: link.host },
          )
        try {
          await prepare?.(link)
        } catch (error) {
          if (link.isOpen) throw error
          // The link went while something was declared on it: nothing has left, the next one will do.
          continue
        }
        if (link.isOpen) return link
      }
    }
    deadline.check(CONNECT)
    const turn = this.#lane.enter()
    this.#answers.set(token, resolve)
    try {
      if (!this.#limit.tryAcquire(bytes)) await this.#limit.acquire(bytes, deadline)
      isAdmitted = true
      await deadline.race(turn.before, PUBLISH)
      const link = await deadline.race(arrive(), PUBLISH)
      hasLeft = true
      underWay = link
      const left = leave(link, `${this.#inbox}.${token}`, answer)
      left.catch(() => undefined)
      turn.leave()
      const result = await deadline.race(left, CONFIRM)
      underWay = undefined
      return result
    } catch (error) {
      if (!hasLeft || deadline.signal?.aborted || deadline.expired) throw error
      const cause = mapError(error, this.#connection.host)
      throw new MessageDeliveryFailure(`It is not known whether the server has the message: ${cause.message}`, {
        ...CONFIRM,
        retryable: true,
        attempts: 1,
        elapsedMs: Math.round(this.#clock.now() - startedAt),
        cause,
      })
    } finally {
      turn.leave()
      this.#answers.delete(token)
      const release = (): void => this.#limit.release(bytes)
      // The place is held until the server has taken the message, however early the deadline was.
      if (underWay !== undefined) underWay.flush().then(release, release)
      else if (isAdmitted) release()
    }
  }
}

function sizeOf(headers: Readonly<Record<string, string>>): number {
  let bytes = HEADER_ROOM
  for (const [name, value] of Object.entries(headers)) bytes += name.length + Buffer.byteLength(value) + 4
  return bytes
}
