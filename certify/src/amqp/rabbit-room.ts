import { type FaultProxy, type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import { halfOpen, reset } from '../queues/nemeses/network.ts'
import { failover, freeze, kill, restart } from '../queues/nemeses/nodes.ts'
import { numberOf } from '../queues/number-of.ts'
import type { Mirror, QueueRoom } from '../queues/room.ts'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'
import { alarm, closeAllConnections } from '../rabbit/nemeses.ts'
import { PlainClient } from '../rabbit/plain-client.ts'
import { addressOf, openBuses, promisesOf } from './buses.ts'
import { NOTIFICATIONS, TOPICS } from './topics.ts'

const MIRROR = 'certify.mirror'

/** RabbitMQ 4 spoken to in AMQP 1.0, one node or three with quorum queues, with hand-written amqplib as the outside
 *  reader. */
export class RabbitMqRoom implements QueueRoom {
  readonly title: string
  readonly topics: readonly TestedTopic[] = TOPICS
  readonly isDrained = true
  readonly proxies: readonly FaultProxy[]
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['reset', 'alarm', 'restart']
  readonly mirror: Mirror
  readonly #broker: RabbitBroker
  readonly #plain: PlainClient

  private constructor(broker: RabbitBroker, proxies: readonly FaultProxy[]) {
    this.#broker = broker
    this.proxies = proxies
    const count = broker.nodes.length
    this.title = `amqp on rabbitmq ${broker.version}, ${count === 1 ? 'one node' : `${count} nodes`}`
    this.#plain = new PlainClient(broker.hosts.map(({ host, port }) => `amqp://guest:guest@${host}:${port}/`))
    const places = new Map(NOTIFICATIONS.map((topic) => [addressOf(topic), placeOf(topic)]))
    this.mirror = {
      topics: NOTIFICATIONS,
      begin: () =>
        this.#plain.mirror(
          MIRROR,
          [...places.keys()].map((exchange) => ({ exchange, key: '' })),
          count === 1 ? {} : { 'x-queue-type': 'quorum' },
        ),
      read: (onMessage) =>
        this.#plain.drain(MIRROR, ({ exchange }, body) => onMessage(places.get(exchange) ?? exchange, numberOf(body))),
    }
    const flush = (node: number): Promise<void> => broker.control.flush(node)
    this.nemeses = [
      reset(proxies),
      halfOpen(proxies),
      freeze(broker, () => this.whole()),
      count === 1 ? kill(broker, flush) : failover(broker, proxies, flush),
      restart(broker, () => this.whole()),
      alarm(broker),
      closeAllConnections(broker),
    ]
  }

  static async start(version: string, nodes: number): Promise<RabbitMqRoom> {
    const quorum = nodes === 1 ? {} : { config: { default_queue_type: 'quorum' } }
    const broker = await startBroker('rabbit', { version, nodes, ...quorum })
    try {
      return new RabbitMqRoom(broker, await Promise.all(broker.nodes.map((_, node) => broker.proxy(node))))
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  open(logger: Logger): Promise<Buses> {
    return openBuses(this.#broker.urlFor({ via: this.proxies }).replace(/^rabbit:/, 'amqp:'), logger)
  }

  promisesOf(topic: TestedTopic): ReaderPromises {
    return promisesOf(topic, 'marked-while-up')
  }

  async whole(): Promise<void> {
    const { control, nodes } = this.#broker
    const seen = await Promise.all(nodes.map((_, node) => control.eval('length(rabbit_nodes:list_running())', node)))
    if (seen.some((each) => each !== String(nodes.length))) throw new Error(`nodes see ${seen.join(', ')}`)
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
