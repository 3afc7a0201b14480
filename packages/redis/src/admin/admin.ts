import { randomUUID } from 'node:crypto'
import {
  type BrokerFacts,
  type CheckRequest,
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
import type { Link } from '../client/link.ts'
import type { RedisOptions } from '../config.ts'
import { Connection, linkOptionsOf } from '../connection/connection.ts'
import { mapError } from '../connection/map-error.ts'
import { Sender, senderLimitsOf } from '../send/sender.ts'
import type { Settings } from '../settings.ts'
import { Names } from '../topology/names.ts'
import { groupsOf, listQueues, readersOf, streamsLike } from './queues.ts'
import { redrive } from './redrive.ts'

const CONNECT = { phase: 'connect', delivery: 'not-sent' } as const
const ASKING = { phase: 'declare', delivery: 'not-sent', waitingFor: 'answer of the server' } as const
const REMOVING = { phase: 'declare', delivery: 'unknown', waitingFor: 'removal of the pool' } as const

/** Redis for operators: the streams and groups of one prefix and database. */
export class RedisAdmin implements DriverAdmin {
  readonly #connection: Connection
  readonly #names: Names
  readonly #sender: Sender
  readonly #options: RedisOptions

  constructor(url: TransportURL, context: DriverContext<RedisOptions>, settings: Settings) {
    const { options, clock, defaultExchange } = context
    this.#options = options
    this.#names = new Names(options.key_prefix, defaultExchange)
    const link = linkOptionsOf(context, settings)
    this.#connection = new Connection({ url, context, link, onOpened: () => Promise.resolve() })
    this.#sender = new Sender(this.#connection, clock, this.#names.numbers(randomUUID()), senderLimitsOf(options))
  }

  async check({ deadline }: CheckRequest): Promise<BrokerFacts> {
    const text = await this.#asked(deadline, (link) => deadline.race(link.ask('INFO', 'server'), ASKING))
    return { product: 'Redis', version: /^redis_version:(\S+)/m.exec(String(text))?.[1] ?? null }
  }

  async queues({ deadline }: QueuesRequest): Promise<readonly QueueReport[]> {
    return await this.#asked(deadline, (link) => deadline.race(listQueues(link, this.#names, this.#options), ASKING))
  }

  async redrive(request: RedriveRequest): Promise<RedriveReport> {
    return await this.#asked(request.deadline, (link) => redrive(request, link, this.#names, this.#sender))
  }

  async removePool({ pool, deadline }: RemovePoolRequest): Promise<boolean> {
    return await this.#asked(deadline, async (link) => {
      const group = this.#names.group(pool)
      const keys = await deadline.race(streamsLike(link, this.#names.everyNotification), ASKING)
      const own: string[] = []
      for (const key of keys) {
        const groups = await deadline.race(groupsOf(link, key), ASKING)
        if (!groups.some(({ name }) => name === group)) continue
        if ((await deadline.race(readersOf(link, key, group, this.#options), ASKING)) > 0)
          throw new TransportDriverError(`The pool ${pool} is being read: stop its listeners first`, {
            retryable: false,
          })
        own.push(key)
      }
      for (const key of own) await deadline.race(link.ask('XGROUP', 'DESTROY', key, group), REMOVING)
      return own.length > 0
    })
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  /** Rejects with errors of the library, whatever the server says. */
  async #asked<T>(deadline: Deadline, ask: (link: Link) => Promise<T>): Promise<T> {
    const link = await this.#connection.ready(deadline, CONNECT, { retries: 0 })
    try {
      return await ask(link)
    } catch (error) {
      throw mapError(error, link.host)
    }
  }
}
