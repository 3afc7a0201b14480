import { type ClientChannel, type ClientConnection, type ExchangeDeclaration, NO_ANSWER } from '../client/client.ts'
import { brokerCodeOf, fallbackError, isDurabilityMismatch, mapError } from '../connection/map-error.ts'
import { type Subscription, withoutDurability } from './topology.ts'
import { Limiter } from './limiter.ts'

/** Declares and binds what is to be consumed, in the order of Python's library, on a channel of its own that a refusal
 *  may close. An exchange that exists with less durability is taken as it is, as oslo's head does; every other mismatch
 *  is the broker's refusal. */
export async function declareSubscriptions(
  connection: ClientConnection,
  subscriptions: readonly Subscription[],
): Promise<void> {
  await limiterOf(connection).pass(async () => {
    const declarer = new Declarer(connection)
    try {
      for (const subscription of subscriptions) await declarer.declare(subscription)
    } finally {
      declarer.close()
    }
  })
}

/** Declares again what was there before, so that one queue that is out of order does not hold up the others. Gives the
 *  queues that failed, with the reason. Rejects when the broker refuses for good, when the connection is gone, and when
 *  nothing is left to consume. What others of this process have just declared on a new connection is not declared once
 *  more (P23). */
export async function redeclareSubscriptions(
  connection: ClientConnection,
  subscriptions: readonly Subscription[],
  { isNewConnection }: { readonly isNewConnection: boolean },
): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>()
  const known = isNewConnection ? exchangesOf(connection) : new Map<string, Promise<void>>()
  await limiterOf(connection).pass(async () => {
    let declarer = new Declarer(connection, known)
    try {
      for (const subscription of subscriptions) {
        try {
          await declarer.declare(subscription)
        } catch (error) {
          if (!concernsOneQueue(error)) throw error
          failures.set(subscription.queue.name, error)
          declarer.close()
          declarer = new Declarer(connection, known)
        }
      }
    } finally {
      declarer.close()
    }
  })
  const [first] = failures.values()
  if (subscriptions.every(({ queue }) => failures.has(queue.name))) throw first
  return failures
}

/** 404: its node is down, or it crashed. Some brokers say nothing about a queue whose node is down. */
function concernsOneQueue(failure: unknown): boolean {
  const code = brokerCodeOf(failure)
  return code === NO_ANSWER || (code === 404 && mapError(failure).retryable)
}

/** So many listeners of a process declare at the same time; after a restart of the broker a thousand would otherwise do
 *  so at once (P23). */
const MOST_AT_ONCE = 16
/** A broker that is well answers in a hundredth of it. */
const LONGEST_PLACE_MS = 500

const limiters = new WeakMap<ClientConnection, Limiter>()

function limiterOf(connection: ClientConnection): Limiter {
  return ofConnection(limiters, connection, () => new Limiter(MOST_AT_ONCE, LONGEST_PLACE_MS))
}

/** Exchanges that were declared on a connection after it came back. */
const exchanges = new WeakMap<ClientConnection, Map<string, Promise<void>>>()

function exchangesOf(connection: ClientConnection): Map<string, Promise<void>> {
  return ofConnection(exchanges, connection, () => new Map())
}

function ofConnection<T>(table: WeakMap<ClientConnection, T>, connection: ClientConnection, make: () => T): T {
  const found = table.get(connection)
  if (found !== undefined) return found
  const made = make()
  table.set(connection, made)
  return made
}

class Declarer {
  readonly #connection: ClientConnection
  /** Exchanges that are declared already, or about to be; undefined: each is declared. */
  readonly #known: Map<string, Promise<void>> | undefined
  #channel: ClientChannel | undefined

  constructor(connection: ClientConnection, known?: Map<string, Promise<void>>) {
    this.#connection = connection
    this.#known = known
  }

  async declare(subscription: Subscription): Promise<void> {
    try {
      await this.#declare(subscription)
    } catch (error) {
      this.close()
      this.#channel = undefined
      if (!isDurabilityMismatch(error) || !canLoseDurability(subscription)) throw error
      await this.#declare(withoutDurability(subscription)).catch((failure: unknown) => {
        throw fallbackError(failure, error)
      })
    }
  }

  close(): void {
    void this.#channel?.close()
  }

  async #declare({ exchange, queue, bindingKeys }: Subscription): Promise<void> {
    const channel = (this.#channel ??= await this.#connection.openChannel())
    if (exchange !== null) await this.#declareExchange(channel, exchange)
    await channel.declareQueue(queue)
    // Whoever declares a queue also binds it.
    if (exchange === null || queue.mode !== undefined) return
    for (const key of bindingKeys) {
      try {
        await channel.bindQueue(queue.name, exchange.name, key)
      } catch (error) {
        // Gone since: the next attempt declares it.
        this.#known?.delete(exchangeKey(exchange))
        throw error
      }
    }
  }

  async #declareExchange(channel: ClientChannel, exchange: ExchangeDeclaration): Promise<void> {
    const known = this.#known
    if (known === undefined) return await channel.declareExchange(exchange)
    const key = exchangeKey(exchange)
    let declared = known.get(key)
    if (declared === undefined) {
      declared = channel.declareExchange(exchange)
      known.set(key, declared)
      declared.catch(() => known.delete(key))
    }
    await declared
  }
}

/** With its durability: queues go the way of their exchange. */
function exchangeKey({ name, durable }: ExchangeDeclaration): string {
  return `${name} ${durable}`
}

/** A quorum queue or a stream is durable or nothing. */
function canLoseDurability({ exchange, queue }: Subscription): boolean {
  return queue.arguments['x-queue-type'] === undefined && (queue.durable || exchange?.durable === true)
}
