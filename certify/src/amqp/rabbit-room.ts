import { type FaultProxy, type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import { halfOpen, reset } from '../queues/nemeses/network.ts'
import { freeze, kill, restart } from '../queues/nemeses/nodes.ts'
import { numberOf } from '../queues/number-of.ts'
import type { Mirror, QueueRoom } from '../queues/room.ts'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'
import { alarm, closeAllConnections } from '../rabbit/nemeses.ts'
import { PlainClient } from '../rabbit/plain-client.ts'
import { addressOf, openBuses, promisesOf } from './buses.ts'
import { TOPICS } from './topics.ts'

const MIRROR = 'certify.mirror'
const NOTIFICATIONS = TOPICS.filter(({ way }) => way === 'notification')

/** RabbitMQ 4 spoken to in AMQP 1.0, with hand-written amqplib as the outside reader. */
export class RabbitMqRoom implements QueueRoom {
  readonly title: string
  readonly topics: readonly TestedTopic[] = TOPICS
  readonly proxies: readonly FaultProxy[]
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['reset', 'alarm', 'restart']
  readonly mirror: Mirror
  readonly #broker: RabbitBroker
  readonly #plain: PlainClient

  private constructor(broker: RabbitBroker, proxy: FaultProxy) {
    this.#broker = broker
    this.proxies = [proxy]
    this.title = `amqp on rabbitmq ${broker.version}`
    this.#plain = new PlainClient(broker.hosts.map(({ host, port }) => `amqp://guest:guest@${host}:${port}/`))
    const places = new Map(NOTIFICATIONS.map((topic) => [addressOf(topic), placeOf(topic)]))
    this.mirror = {
      topics: NOTIFICATIONS,
      begin: () =>
        this.#plain.mirror(
          MIRROR,
          [...places.keys()].map((exchange) => ({ exchange, key: '' })),
          {},
        ),
      read: (onMessage) =>
        this.#plain.drain(MIRROR, ({ exchange }, body) => onMessage(places.get(exchange) ?? exchange, numberOf(body))),
    }
    this.nemeses = [
      reset(this.proxies),
      halfOpen(this.proxies),
      freeze(broker, () => this.whole()),
      kill(broker, (node) => broker.control.flush(node)),
      restart(broker, () => this.whole()),
      alarm(broker),
      closeAllConnections(broker),
    ]
  }

  static async start(version: string): Promise<RabbitMqRoom> {
    const broker = await startBroker('rabbit', { version })
    try {
      return new RabbitMqRoom(broker, await broker.proxy())
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  open(logger: Logger): Promise<Buses> {
    return openBuses(this.#broker.urlFor({ via: this.proxies }).replace(/^rabbit:/, 'amqp:'), logger)
  }

  promisesOf(topic: TestedTopic): ReaderPromises {
    return promisesOf(topic)
  }

  async whole(): Promise<void> {
    await this.#broker.control.eval('rabbit:is_running()')
  }

  async leftovers(topic: TestedTopic): Promise<readonly number[]> {
    const left: number[] = []
    await this.#plain.drain(addressOf(topic), (_, body) => left.push(numberOf(body)))
    return left
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close()
  }
}
