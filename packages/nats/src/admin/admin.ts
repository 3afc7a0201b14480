import { randomUUID } from 'node:crypto'
import {
  type BrokerFacts,
  type CheckRequest,
  type Clock,
  type Deadline,
  type DriverAdmin,
  type DriverContext,
  type QueueReport,
  type QueuesRequest,
  type RedriveReport,
  type RedriveRequest,
  type RemovePoolRequest,
  TransportDriverError,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { JetStream } from '../client/jet-stream.ts'
import type { Link } from '../client/link.ts'
import type { NatsOptions } from '../config.ts'
import { Connection, linkOptionsOf } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import { Publisher } from '../send/publisher.ts'
import { outstandingLimitOf, Sender } from '../send/sender.ts'
import type { LoginFiles } from '../settings.ts'
import { Names } from '../topology/names.ts'
import { consumersOf, listQueues, readersOf } from './queues.ts'
import { redrive } from './redrive.ts'

const CONNECT = { phase: 'connect', delivery: 'not-sent' } as const
const ASKING = { phase: 'declare', delivery: 'not-sent', waitingFor: 'answer of JetStream' } as const
const REMOVING = { phase: 'declare', delivery: 'unknown', waitingFor: 'removal of the pool' } as const

/** NATS for operators: the streams and consumers of one prefix and virtual host. */
export class NatsAdmin implements DriverAdmin {
  readonly #connection: Connection
  readonly #jetStream: JetStream
  readonly #names: Names
  readonly #publisher: Publisher
  readonly #clock: Clock

  constructor(url: TransportURL, context: DriverContext<NatsOptions>, files: LoginFiles) {
    const { options, clock, defaultExchange } = context
    const inbox = `_INBOX.${randomUUID()}`
    this.#names = new Names({ prefix: options.subject_prefix, virtualHost: url.virtualHost, defaultExchange })
    this.#jetStream = new JetStream(options)
    this.#clock = clock
    this.#connection = new Connection({
      url,
      context,
      link: linkOptionsOf(context, files),
      inbox,
      onAnswer: (token, arrival) => void sender.onAnswer(token, arrival),
    })
    const sender = new Sender(this.#connection, inbox, clock, outstandingLimitOf(options))
    this.#publisher = new Publisher(sender, this.#jetStream, this.#names, clock)
  }

  async check({ deadline }: CheckRequest): Promise<BrokerFacts> {
    const { version } = await this.#connect(deadline)
    return { product: 'NATS', version }
  }

  async queues({ deadline }: QueuesRequest): Promise<readonly QueueReport[]> {
    return await this.#asked(deadline, async (link) =>
      deadline.race(listQueues(link, this.#jetStream, this.#names, this.#clock), ASKING),
    )
  }

  async redrive(request: RedriveRequest): Promise<RedriveReport> {
    const parts = { jetStream: this.#jetStream, names: this.#names, publisher: this.#publisher }
    return await this.#asked(request.deadline, (link) => redrive(request, { ...parts, link }))
  }

  async removePool({ pool, deadline }: RemovePoolRequest): Promise<boolean> {
    return await this.#asked(deadline, async (link) => {
      const { stream } = this.#names
      const { consumers } = await this.#jetStream.manager(link)
      const all = await deadline.race(consumersOf(link, this.#jetStream, stream), ASKING)
      const own = all.filter(({ name }) => this.#names.poolOf(name) === pool)
      const readers = await deadline.race(readersOf(link, own, this.#names, this.#clock), ASKING)
      if (readers.some((count) => count > 0))
        throw new TransportDriverError(`The pool ${pool} is being read: stop its listeners first`, { retryable: false })
      for (const { name } of own) await deadline.race(link.orLost(consumers.delete(stream, name)), REMOVING)
      return own.length > 0
    })
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  async #connect(deadline: Deadline): Promise<Link> {
    return await this.#connection.ready(deadline, CONNECT, { retries: 0 })
  }

  /** Rejects with errors of the library, whatever JetStream says. */
  async #asked<T>(deadline: Deadline, ask: (link: Link) => Promise<T>): Promise<T> {
    const link = await this.#connect(deadline)
    try {
      return await ask(link)
    } catch (error) {
      throw mapError(error, link.host)
    }
  }
}
