import { type FaultProxy, type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import { halfOpen, reset } from '../queues/nemeses/network.ts'
import { freeze, kill, restart } from '../queues/nemeses/nodes.ts'
import type { Mirror, QueueRoom } from '../queues/room.ts'
import { numberOf } from '../queues/number-of.ts'
import { type Buses, placeOf, type TestedTopic } from '../queues/workload.ts'
import { mirrorOn, openBuses, promisesOf } from './buses.ts'
import { alarm, closeAllConnections } from './nemeses.ts'
import { PlainClient } from './plain-client.ts'
import { TOPICS } from './topics.ts'

/** RabbitMQ with one node and durable queues, or three and quorum queues. */
export class RabbitRoom implements QueueRoom {
  readonly title: string
  readonly topics: readonly TestedTopic[] = TOPICS
  readonly proxies: readonly FaultProxy[]
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['reset', 'alarm', 'close_all_connections']
  readonly mirror: Mirror
  readonly #broker: RabbitBroker
  readonly #plain: PlainClient

  private constructor(broker: RabbitBroker, proxies: readonly FaultProxy[]) {
    this.#broker = broker
    this.proxies = proxies
    const count = broker.nodes.length
    this.title = `rabbit ${broker.version}, ${count === 1 ? 'one node' : `${count} nodes`}`
    this.#plain = new PlainClient(broker.hosts.map(({ host, port }) => `amqp://guest:guest@${host}:${port}/`))
    this.mirror = mirrorOn(() => [this.#plain], this.#quorum)
    this.nemeses = [
      reset(proxies),
      halfOpen(proxies),
      freeze(broker, () => this.whole()),
      kill(broker, (node) => broker.control.flush(node)),
      restart(broker, () => this.whole()),
      alarm(broker),
      closeAllConnections(broker),
    ]
  }

  static async start(version: string | undefined, nodes: number): Promise<RabbitRoom> {
    const broker = await startBroker('rabbit', { nodes, ...(version === undefined ? {} : { version }) })
    try {
      return new RabbitRoom(broker, await Promise.all(broker.nodes.map((_, node) => broker.proxy(node))))
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  open(logger: Logger): Promise<Buses> {
    return openBuses(this.#broker.urlFor({ via: this.proxies }), this.#quorum, logger)
  }

  promisesOf(topic: TestedTopic): ReaderPromises {
    return promisesOf(topic)
  }

  async whole(): Promise<void> {
    const count = this.#broker.nodes.length
    // 3.10 has the older name only, and must be asked for the newer one by a call that may not exist.
    const running =
      'length(case erlang:function_exported(rabbit_nodes,list_running,0) of true->rabbit_nodes:list_running();' +
      'false->rabbit_nodes:all_running() end)'
    const seen = await Promise.all(this.#broker.nodes.map((_, node) => this.#broker.control.eval(running, node)))
    if (seen.some((each) => each !== String(count))) throw new Error(`nodes see ${seen.join(', ')} of ${count}`)
  }

  async leftovers(topic: TestedTopic): Promise<readonly number[]> {
    const left: number[] = []
    await this.#plain.drain(placeOf(topic), (_, body) => left.push(numberOf(body)))
    return left
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close()
  }

  get #quorum(): boolean {
    return this.#broker.nodes.length > 1
  }
}
