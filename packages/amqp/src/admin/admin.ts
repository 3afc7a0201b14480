import type {
  BrokerFacts,
  CheckRequest,
  DriverAdmin,
  DriverContext,
  RedriveReport,
  RedriveRequest,
  TransportURL,
} from '@oslo-messaging/core/driver'
import type { AmqpOptions } from '../config.ts'
import { AmqpConnection } from '../topology/amqp-connection.ts'
import { Publisher } from '../send/publisher.ts'
import { redrive } from './redrive.ts'
import { newProgress } from '../send/outgoing-message.ts'

/** How long what is under way may take. */
const CLOSE_PATIENCE_MS = 5_000

/** An AMQP 1.0 broker for operators: its dead letters. */
export class AmqpAdmin implements DriverAdmin {
  readonly #context: DriverContext<AmqpOptions>
  readonly #connection: AmqpConnection
  readonly #publisher: Publisher

  constructor(url: TransportURL, context: DriverContext<AmqpOptions>) {
    this.#context = context
    this.#connection = new AmqpConnection(url, context)
    this.#publisher = new Publisher(this.#connection, context)
  }

  async redrive(request: RedriveRequest): Promise<RedriveReport> {
    const { connection, addressing } = await this.#connection.live(request.deadline, 0)
    const isQueue = (name: string): boolean => addressing.mode === 'rabbitmq' && !name.startsWith('/')
    return await redrive({
      request,
      clock: this.#context.clock,
      openSession: async () => await connection.openSession(),
      // RabbitMQ's queues have addresses, operators know their names.
      addressOf: (name) => (isQueue(name) ? `/queues/${encodeURIComponent(name)}` : name),
      send: async (address, encoded, deadline) =>
        await this.#publisher.send({
          to: address,
          message: { body: undefined, encoded },
          bytes: encoded.length,
          deadline,
          retries: 0,
          connectRetries: 0,
          progress: newProgress(),
          preSettled: false,
        }),
    })
  }

  async check({ deadline }: CheckRequest): Promise<BrokerFacts> {
    const { connection } = await this.#connection.live(deadline, 0)
    const { product, version } = connection.peer
    return {
      product: typeof product === 'string' ? product : 'An AMQP 1.0 broker',
      version: typeof version === 'string' ? version : null,
    }
  }

  async close(): Promise<void> {
    await this.#publisher.close(AbortSignal.timeout(CLOSE_PATIENCE_MS))
    await this.#connection.close()
  }
}
