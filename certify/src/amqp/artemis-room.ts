import { setTimeout as sleep } from 'node:timers/promises'
import { type ArtemisBroker, type FaultProxy, startBroker } from '@oslo-messaging/brokers'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import { halfOpen, reset } from '../queues/nemeses/network.ts'
import { busiest, failover, freeze, kill, restart } from '../queues/nemeses/nodes.ts'
import { numberOf } from '../queues/number-of.ts'
import type { Mirror, QueueRoom } from '../queues/room.ts'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'
import { addressOf, openBuses, promisesOf } from './buses.ts'
import { drainAddress, manageAddress, type Outside } from './outside.ts'
import { NOTIFICATIONS, TOPICS } from './topics.ts'

/** Few, so that what the broker withholds is felt at once and not a thousand messages later. */
const CREDITS = '10'
const nothing = (): Promise<void> => Promise.resolve()
const copyOf = (topic: TestedTopic): string => `certify.${placeOf(topic)}`

/** One Artemis, or two on the same data, with copies of all notifications for rhea alone as the outside reader. */
export class ArtemisRoom implements QueueRoom {
  readonly title: string
  readonly topics: readonly TestedTopic[] = TOPICS
  readonly isDrained = true
  readonly proxies: readonly FaultProxy[]
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['reset', 'freeze', 'restart']
  readonly mirror: Mirror
  readonly #broker: ArtemisBroker
  readonly #outside: Outside

  private constructor(broker: ArtemisBroker, proxies: readonly FaultProxy[]) {
    this.#broker = broker
    this.proxies = proxies
    this.#outside = { ports: broker.ports, username: 'app', password: 'secret' }
    this.title = `amqp on artemis ${broker.version}, ${broker.nodes.length === 1 ? 'one node' : 'a node and its standby'}`
    this.mirror = {
      topics: NOTIFICATIONS,
      // The broker was started with them.
      begin: () => Promise.resolve(),
      read: async (onMessage) => {
        for (const topic of NOTIFICATIONS)
          for (const body of await drainAddress(this.#outside, copyOf(topic))) onMessage(placeOf(topic), numberOf(body))
      },
    }
    /** That the other one stands still is nobody's trouble. */
    const serving = {
      get nodes() {
        const index = busiest(proxies)
        return broker.nodes.slice(index, index + 1)
      },
    }
    this.nemeses = [
      reset(proxies),
      halfOpen(proxies),
      freeze(serving, () => this.whole()),
      broker.nodes.length === 1 ? kill(broker, nothing) : failover(broker, proxies, nothing),
      restart(broker, nothing),
      this.#alarm(),
    ]
  }

  /** `hasStandby`: a second node waits for the end of the first. */
  static async start(version: string | undefined, hasStandby: boolean): Promise<ArtemisRoom> {
    const broker = await startBroker('artemis', {
      // The recipe gives every message an end, for Python's sake: 10 s, and outages here last longer.
      config: { 'test.min.expiry': '-1', 'test.credits': CREDITS },
      copies: Object.fromEntries(NOTIFICATIONS.map((topic) => [addressOf(topic), copyOf(topic)])),
      standby: hasStandby,
      ...(version === undefined ? {} : { version }),
    })
    try {
      return new ArtemisRoom(broker, await Promise.all(broker.nodes.map((_, node) => broker.proxy(node))))
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  open(logger: Logger): Promise<Buses> {
    return openBuses(this.#broker.urlFor({ via: this.proxies }), logger)
  }

  promisesOf(topic: TestedTopic): ReaderPromises {
    return promisesOf(topic, 'allowed')
  }

  /** A node is started when its protocol answers, and there is nothing else. */
  whole(): Promise<void> {
    return Promise.resolve()
  }

  async leftovers(topic: TestedTopic): Promise<readonly number[]> {
    return await this.#drained(addressOf(topic))
  }

  async buried(): Promise<Readonly<Record<string, readonly number[]>>> {
    return { DLQ: await this.#drained('DLQ'), EXPIRED: await this.#drained('EXPIRED') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close()
  }

  async #drained(address: string): Promise<readonly number[]> {
    return (await drainAddress(this.#outside, address)).map(numberOf)
  }

  /** The broker has no room for what comes to the topics: it gives their senders no credit. */
  #alarm(): Nemesis {
    const operator = { ...this.#outside, username: 'admin', password: 'admin' }
    const addresses = TOPICS.filter(({ way }) => way !== 'fanout').map(addressOf)
    const each = async (operation: string): Promise<void> => {
      for (const address of addresses) await manageAddress(operator, address, operation)
    }
    return {
      name: 'alarm',
      disturbs: ['nodes'],
      strike: async ({ forMs }) => {
        try {
          await each('block')
          await sleep(forMs)
        } finally {
          await each('unblock')
        }
        return { count: addresses.length, says: `no credit for ${addresses.length} addresses for ${forMs / 1000} s` }
      },
    }
  }
}
