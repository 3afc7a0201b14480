import { type ArtemisBroker, type FaultProxy, startBroker } from '@oslo-messaging/brokers'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import { halfOpen, reset } from '../queues/nemeses/network.ts'
import { freeze, kill, restart } from '../queues/nemeses/nodes.ts'
import { numberOf } from '../queues/number-of.ts'
import type { QueueRoom } from '../queues/room.ts'
import type { Buses, TestedTopic } from '../queues/workload.ts'
import { addressOf, openBuses, promisesOf } from './buses.ts'
import { drainAddress } from './drain-address.ts'
import { TOPICS } from './topics.ts'

/** One Artemis. It makes no copies for an outside reader, so what is stored shows in who handled it and in what is left. */
export class ArtemisRoom implements QueueRoom {
  readonly title: string
  readonly topics: readonly TestedTopic[] = TOPICS
  readonly proxies: readonly FaultProxy[]
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['reset', 'freeze', 'restart']
  readonly #broker: ArtemisBroker

  private constructor(broker: ArtemisBroker, proxy: FaultProxy) {
    this.#broker = broker
    this.proxies = [proxy]
    this.title = `amqp on artemis ${broker.version}`
    this.nemeses = [
      reset(this.proxies),
      halfOpen(this.proxies),
      freeze(broker, () => this.whole()),
      kill(broker, () => Promise.resolve()),
      restart(broker, () => Promise.resolve()),
    ]
  }

  static async start(version: string | undefined): Promise<ArtemisRoom> {
    const broker = await startBroker('artemis', {
      // The recipe gives every message an end, for Python's sake: 10 s, and outages here last longer.
      config: { 'test.min.expiry': '-1' },
      ...(version === undefined ? {} : { version }),
    })
    try {
      return new ArtemisRoom(broker, await broker.proxy())
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  open(logger: Logger): Promise<Buses> {
    return openBuses(this.#broker.urlFor({ via: this.proxies }), logger)
  }

  promisesOf(topic: TestedTopic): ReaderPromises {
    return promisesOf(topic)
  }

  /** A node is started when its protocol answers, and there is nothing else. */
  whole(): Promise<void> {
    return Promise.resolve()
  }

  async leftovers(topic: TestedTopic): Promise<readonly number[]> {
    const bodies = await drainAddress({ port: this.#broker.nodes[0]?.port ?? 0 }, addressOf(topic))
    return bodies.map(numberOf)
  }

  async buried(): Promise<Readonly<Record<string, readonly number[]>>> {
    const found = new Map<string, readonly number[]>()
    for (const address of ['DLQ', 'EXPIRED']) {
      const bodies = await drainAddress({ port: this.#broker.nodes[0]?.port ?? 0 }, address)
      found.set(address, bodies.map(numberOf))
    }
    return Object.fromEntries(found)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close()
  }
}
