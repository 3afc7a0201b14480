import { Deadline, FAILURE_HEADERS, type FailureFacts, isMessagingError } from '@oslo-messaging/core/driver'
import type { QueueDeclaration } from '../client/client.ts'
import type { Runtime } from '../connection/runtime.ts'
import { newProgress } from '../send/outgoing-message.ts'
import type { Publisher } from '../send/publisher.ts'
import type { Delivery } from './delivery.ts'

/** How long a copy may take to reach its queue, milliseconds. */
const COPY_TIMEOUT_MS = 30_000

/** Puts notifications that failed aside: a copy with the reason goes to another queue, and the original is acknowledged
 *  once the broker has confirmed the copy.
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

  /** Into `<queue>.retry.<delayMs>`, from where it returns to its own queue when that time is over. Rejects like
   *  `bury`. */
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

  async #move(delivery: Delivery, failure: FailureFacts, queue: QueueDeclaration): Promise<void> {
    const choices = headerChoices(delivery, failure)
    for (const [index, headers] of choices.entries()) {
      try {
        await this.#send(delivery, headers, queue)
        return delivery.acknowledge()
      } catch (error) {
        // No frame can hold all of them.
        if (!isMessagingError(error, 'SERIALIZATION') || index === choices.length - 1) throw error
      }
    }
  }

  #send(delivery: Delivery, headers: Headers, queue: QueueDeclaration): Promise<void> {
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
        if (unsent === undefined) resolve()
        else reject(unsent.error)
      })
    })
  }
}

type Headers = Readonly<Record<string, unknown>>

/** What a copy says of its message, from all there is to what must not be missing: the headers of the message itself
 *  may be as long as a frame. */
function headerChoices(
  { properties, queue, exchange, routingKey }: Delivery,
  failure: FailureFacts,
): readonly Headers[] {
  const own = properties.headers
  const { attempts, reason, stack } = FAILURE_HEADERS
  const origin = {
    [attempts]: failure.headers[attempts],
    [FAILURE_HEADERS.origin]: queue,
    'x-oslo-exchange': exchange,
    'x-oslo-routing-key': routingKey,
    'x-oslo-content-type': properties.contentType ?? '',
  }
  const why = { [reason]: failure.headers[reason], [stack]: failure.headers[stack] }
  const compression = own?.['compression']
  return [
    { ...own, ...failure.headers, ...origin },
    { ...own, ...origin },
    { ...(compression !== undefined && { compression }), ...why, ...origin },
  ]
}
