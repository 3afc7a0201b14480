import type {
  BrokerFacts,
  CheckRequest,
  DriverAdmin,
  DriverContext,
  QueueReport,
  QueuesRequest,
  RedriveReport,
  RedriveRequest,
  RemovePoolRequest,
  TransportURL,
} from '@oslo-messaging/core/driver'
import { listQueues } from './queues.ts'
import type { RabbitClient } from '../client/client.ts'
import type { RabbitOptions } from '../config.ts'
import { Connection } from '../connection/connection.ts'
import { hostsOf, virtualHostOf } from '../connection/hosts.ts'
import { redrive } from './redrive.ts'
import { removePool } from './remove-pool.ts'
import type { RabbitSettings } from '../settings.ts'
import { tlsSource } from '../connection/tls-options.ts'

/** RabbitMQ for operators: dead letters over AMQP, queues over the HTTP interface of its management plugin. */
export class RabbitAdmin implements DriverAdmin {
  readonly #connection: Connection
  readonly #place: Omit<ConstructorParameters<typeof Connection>[0], 'runtime' | 'purpose'>

  constructor(
    url: TransportURL,
    context: DriverContext<RabbitOptions>,
    client: RabbitClient,
    settings: RabbitSettings,
  ) {
    const { options, program, logger, clock, random, credentials } = context
    this.#place = { hosts: hostsOf(url), virtualHost: virtualHostOf(url), tls: tlsSource(options), credentials }
    this.#connection = new Connection({
      runtime: { client, options, settings, program, logger, clock, random },
      purpose: 'administering',
      ...this.#place,
    })
  }

  async redrive(request: RedriveRequest): Promise<RedriveReport> {
    return await redrive(await this.#connection.ready(request.deadline, 0), request)
  }

  async queues({ management, deadline }: QueuesRequest): Promise<readonly QueueReport[]> {
    const { hosts, virtualHost, tls } = this.#place
    return await listQueues({ hosts, virtualHost, tls: tls(), management, deadline })
  }

  async check({ deadline }: CheckRequest): Promise<BrokerFacts> {
    const { brokerVersion } = await this.#connection.ready(deadline, 0)
    return { product: 'RabbitMQ', version: brokerVersion }
  }

  async removePool({ pool, deadline }: RemovePoolRequest): Promise<boolean> {
    return await removePool(await this.#connection.ready(deadline, 0), pool, deadline)
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}
