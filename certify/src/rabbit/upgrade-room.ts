import { setTimeout as sleep } from 'node:timers/promises'
import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import { until } from '../load/until.ts'
import { numberOf } from '../queues/number-of.ts'
import type { Mirror, QueueRoom, Side } from '../queues/room.ts'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'
import { beginMirror, MIRROR, mirrorOn, openBuses, promisesOf } from './buses.ts'
import { Gate } from './gate.ts'
import { PlainClient } from './plain-client.ts'
import { TOPICS } from './topics.ts'

const RELEASES = ['3.10', '4.0', '4.3'] as const
const DRAINED_MS = 60_000
const READERS_MS = 60_000
/** What was taken out of a queue or a stream is handled by then. */
const HANDLED_MS = 2_000
const DURABLE = false

interface Release {
  readonly broker: RabbitBroker
  readonly plain: PlainClient
}

/** RabbitMQ that is replaced by newer releases under services that know one address. Debian's releases do not follow
 *  each other node by node: 4.0 refuses the data of 3.10, and none joins a cluster of the one before. So each is a
 *  broker of its own: senders are held back, readers work off the old one, and both are led to the new one, which knows
 *  nothing of their queues. */
export class UpgradeRoom implements QueueRoom {
  readonly title: string = `rabbit ${RELEASES.join(', then ')}`
  readonly topics: readonly TestedTopic[] = TOPICS
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['upgrade']
  readonly mirror: Mirror = mirrorOn(() => this.#releases.map(({ plain }) => plain), DURABLE)
  /** Oldest first; the last is the one in use. */
  readonly #releases: Release[]
  readonly #gates: Readonly<Record<Side, Gate>>

  private constructor(first: Release, gates: Readonly<Record<Side, Gate>>) {
    this.#releases = [first]
    this.#gates = gates
    this.nemeses = [{ name: 'upgrade', disturbs: ['nodes', 'network'], strike: async () => await this.#upgradeAll() }]
  }

  static async start(): Promise<UpgradeRoom> {
    const [oldest] = RELEASES
    const first = await startRelease(oldest)
    try {
      const at = addressOf(first)
      return new UpgradeRoom(first, { senders: await Gate.open(at), readers: await Gate.open(at) })
    } catch (error) {
      await first.broker.close()
      throw error
    }
  }

  open(logger: Logger, side: Side): Promise<Buses> {
    return openBuses(this.#current.broker.urlFor({ via: [this.#gates[side]] }), DURABLE, logger)
  }

  promisesOf(topic: TestedTopic): ReaderPromises {
    return promisesOf(topic)
  }

  async whole(): Promise<void> {
    await this.#current.broker.control.eval('rabbit:is_running()')
  }

  async leftovers(topic: TestedTopic): Promise<readonly number[]> {
    const left: number[] = []
    for (const { plain } of this.#releases) await plain.drain(placeOf(topic), (_, body) => left.push(numberOf(body)))
    return left
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#gates).map(async (gate) => await gate[Symbol.asyncDispose]()))
    await Promise.all(this.#releases.map(async ({ broker }) => await broker.close()))
  }

  get #current(): Release {
    const last = this.#releases.at(-1)
    if (last === undefined) throw new Error('There is no broker')
    return last
  }

  async #upgradeAll(): Promise<{ readonly count: number; readonly says: string }> {
    const newer = RELEASES.slice(this.#releases.length)
    for (const version of newer) await this.#upgrade(version)
    const says = this.#releases.map(({ broker }) => broker.version).join(' to ')
    return { count: newer.length, says }
  }

  async #upgrade(version: string): Promise<void> {
    const old = this.#current
    const next = await startRelease(version)
    this.#releases.push(next)
    await this.#gates.senders.shut()
    await until(async () => Number(await old.broker.control.eval(WAITING)) === 0, 'old queues empty', DRAINED_MS)
    await sleep(HANDLED_MS)
    await this.#gates.readers.leadTo(addressOf(next))
    // Readers declare what senders need.
    const queues = TOPICS.map((topic) => placeOf(topic))
    await until(
      async () => {
        const found = await Promise.all(queues.map(async (queue) => await next.broker.control.queue(queue)))
        return found.every((queue) => queue !== undefined && queue.consumers > 0)
      },
      `readers at ${version}`,
      READERS_MS,
    )
    await beginMirror(next.plain, DURABLE)
    await this.#gates.senders.leadTo(addressOf(next))
  }
}

/** Messages that readers still have to work off: not those in streams, nor replies, nor the copies for the outside
 *  reader. */
const WAITING =
  'lists:sum([proplists:get_value(messages,rabbit_amqqueue:info(Q,[messages]))||Q<-rabbit_amqqueue:list(<<"/">>),' +
  'amqqueue:get_type(Q)=/=rabbit_stream_queue,N<-[element(4,amqqueue:get_name(Q))],' +
  `N=/=<<"${MIRROR}">>,binary:part(N,0,min(6,byte_size(N)))=/=<<"reply_">>])`

async function startRelease(version: string): Promise<Release> {
  const broker = await startBroker('rabbit', { version })
  return { broker, plain: new PlainClient([broker.url.replace(/^rabbit:/, 'amqp:')]) }
}

function addressOf({ broker }: Release): { readonly host: string; readonly port: number } {
  const [at] = broker.hosts
  if (at === undefined) throw new Error('The broker has no address')
  return at
}
