import { Deadline } from '@oslo-messaging/core/driver'
import type { QueueDeclaration } from '../client/client.ts'
import { ATTEMPTS_HEADER, type Delivery } from './delivery.ts'
import type { Publisher } from '../send/publisher.ts'
import { newProgress } from '../send/outgoing-message.ts'
import { reportBackground, type Runtime } from '../connection/runtime.ts'

/** Settles notifications whose endpoints threw, and those that cannot be read. */
export interface NotificationFailures {
  handle(delivery: Delivery, error: unknown): void
  unreadable(delivery: Delivery, error: unknown): void
}

/** How long a copy may take to reach its queue; after that the original goes back to its own. */
const COPY_TIMEOUT_MS = 30_000

/** The policy of the settings; undefined for oslo's own, which is core's business. `stop` ends the listener. */
export function createNotificationFailures(
  runtime: Runtime,
  publisher: Publisher,
  stop: (error: unknown) => void,
): NotificationFailures | undefined {
  const policy = runtime.settings.onNotificationFailure
  const discard = (delivery: Delivery): void => delivery.discard()
  switch (policy.action) {
    case 'requeue':
      return { handle: (delivery) => delivery.requeue(), unreadable: discard }
    case 'discard':
      return { handle: discard, unreadable: discard }
    case 'stop':
      return {
        handle(delivery, error) {
          delivery.requeue()
          stop(error)
        },
        unreadable: discard,
      }
    case 'dead-letter': {
      const { retries, delayMs } = policy
      const copies = new Copies(runtime, publisher)
      return {
        handle(delivery, error) {
          const attempts = attemptsOf(delivery) + 1
          const queue = attempts > retries ? deadQueue(delivery.queue) : retryQueue(delivery.queue, delayMs)
          copies.move(delivery, queue, attempts, error)
        },
        unreadable: (delivery, error) =>
          copies.move(delivery, deadQueue(delivery.queue), attemptsOf(delivery) + 1, error),
      }
    }
    default:
      return undefined
  }
}

class Copies {
  readonly #runtime: Runtime
  readonly #publisher: Publisher

  constructor(runtime: Runtime, publisher: Publisher) {
    this.#runtime = runtime
    this.#publisher = publisher
  }

  /** Puts a copy with the reason into the queue, and acknowledges the original once the broker has it. */
  move(delivery: Delivery, queue: QueueDeclaration, attempts: number, error: unknown): void {
    const headers = {
      ...delivery.properties.headers,
      [ATTEMPTS_HEADER]: attempts,
      'x-oslo-reason': error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      'x-oslo-stack': error instanceof Error ? (error.stack ?? '') : '',
      'x-oslo-queue': delivery.queue,
      'x-oslo-exchange': delivery.exchange,
      'x-oslo-routing-key': delivery.routingKey,
      'x-oslo-content-type': delivery.properties.contentType ?? '',
    }
    const outgoing = {
      exchange: '',
      routingKey: queue.name,
      requirement: { exchange: null, queue },
      mandatory: true,
      expiration: undefined,
      encode: () => ({ headers, body: delivery.body }),
      deadline: Deadline.after(COPY_TIMEOUT_MS, { clock: this.#runtime.clock }),
      retries: null,
      // Better twice in the queue than not at all.
      repeatUnknown: true,
      progress: newProgress(),
    }
    this.#publisher.post(outgoing, (failure) => {
      if (failure === undefined) return delivery.acknowledge()
      reportBackground(this.#runtime, `A failed notification cannot be moved to ${queue.name}`, failure.error)
      delivery.requeue()
    })
  }
}

function attemptsOf({ properties }: Delivery): number {
  const attempts = properties.headers?.[ATTEMPTS_HEADER]
  return typeof attempts === 'number' ? attempts : 0
}

/** What expires here returns to the queue it came from. */
function retryQueue(queue: string, delayMs: number): QueueDeclaration {
  return {
    name: `${queue}.retry.${delayMs}`,
    durable: true,
    autoDelete: false,
    arguments: { 'x-message-ttl': delayMs, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': queue },
  }
}

function deadQueue(queue: string): QueueDeclaration {
  return { name: `${queue}.dead`, durable: true, autoDelete: false, arguments: {} }
}
