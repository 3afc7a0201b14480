import { Deadline, FAILURE_HEADERS, type FailureFacts } from '@oslo-messaging/core/driver'
import type { QueueDeclaration } from '../client/client.ts'
import type { Runtime } from '../connection/runtime.ts'
import { newProgress } from '../send/outgoing-message.ts'
import type { Publisher } from '../send/publisher.ts'
import type { Delivery } from './delivery.ts'

/** How long a copy may take to reach its queue, milliseconds. */
const COPY_TIMEOUT_MS = 30_000

/** Puts notifications that failed aside: a copy with the reason goes to another queue, and the original is acknowledged once the broker has confirmed the copy.
 *  The body stays as it is, and the queues are this driver's own, so Python services notice nothing. */
export class FailedCopies {
  readonly #runtime: Runtime
  readonly #publisher: Publisher

  constructor(runtime: Runtime, publisher: Publisher) {
    this.#runtime = runtime
    this.#publisher = publisher
  }

  /** Into `<queue>.dead`, where it stays. Rejects when no copy was made; the delivery is unsettled then. */
  bury(delivery: Delivery, failure: FailureFacts): Promise<void> {
    return this.#move(delivery, failure, {
      name: `${delivery.queue}.dead`,
      durable: true,
      autoDelete: false,
      arguments: {},
    })
  }

  /** Into `<queue>.retry.<delayMs>`, from where it returns to its own queue when that time is over. Rejects like `bury`. */
  retryLater(delivery: Delivery, delayMs: number, failure: FailureFacts): Promise<void> {
    const wait = Math.ceil(delayMs)
    return this.#move(delivery, failure, {
      name: `${delivery.queue}.retry.${wait}`,
      durable: true,
      autoDelete: false,
      arguments: {
        'x-message-ttl': wait,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': delivery.queue,
      },
    })
  }

  #move(delivery: Delivery, failure: FailureFacts, queue: QueueDeclaration): Promise<void> {
    const headers = {
      ...delivery.properties.headers,
      ...failure.headers,
      [FAILURE_HEADERS.origin]: delivery.queue,
      'x-oslo-exchange': delivery.exchange,
      'x-oslo-routing-key': delivery.routingKey,
      'x-oslo-content-type': delivery.properties.contentType ?? '',
    }
    const message = {
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
    return new Promise((resolve, reject) => {
      this.#publisher.post(message, (unsent) => {
        if (unsent !== undefined) return reject(unsent.error)
        delivery.acknowledge()
        resolve()
      })
    })
  }
}
