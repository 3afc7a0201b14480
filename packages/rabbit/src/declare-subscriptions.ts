import type { ClientChannel, ClientConnection } from './client.ts'
import { fallbackError, isDurabilityMismatch } from './map-error.ts'
import { type Subscription, withoutDurability } from './topology.ts'
import { Turnstile } from './turnstile.ts'

/** Declares and binds what is to be consumed, in the order of Python's library, on a channel of its own that a refusal may close.
 *  An exchange that exists with less durability is taken as it is, as oslo's head does; every other mismatch is the broker's refusal. */
export async function declareSubscriptions(
  connection: ClientConnection,
  subscriptions: readonly Subscription[],
): Promise<void> {
  await turnstileOf(connection).pass(async () => await declareAll(connection, subscriptions))
}

/** So many listeners of a process declare at the same time; after a restart of the broker a thousand would otherwise do so at once (P23). */
const MOST_AT_ONCE = 16

const turnstiles = new WeakMap<ClientConnection, Turnstile>()

function turnstileOf(connection: ClientConnection): Turnstile {
  let turnstile = turnstiles.get(connection)
  if (turnstile === undefined) {
    turnstile = new Turnstile(MOST_AT_ONCE)
    turnstiles.set(connection, turnstile)
  }
  return turnstile
}

async function declareAll(connection: ClientConnection, subscriptions: readonly Subscription[]): Promise<void> {
  let channel = await connection.openChannel()
  try {
    for (const subscription of subscriptions) {
      try {
        await declare(channel, subscription)
      } catch (error) {
        if (!isDurabilityMismatch(error) || !canLoseDurability(subscription)) throw error
        channel = await connection.openChannel()
        await declare(channel, withoutDurability(subscription)).catch((failure: unknown) => {
          throw fallbackError(failure, error)
        })
      }
    }
  } finally {
    void channel.close()
  }
}

/** A quorum queue or a stream is durable or nothing. */
function canLoseDurability({ exchange, queue }: Subscription): boolean {
  return queue.arguments['x-queue-type'] === undefined && (queue.durable || exchange?.durable === true)
}

async function declare(channel: ClientChannel, { exchange, queue, bindingKeys }: Subscription): Promise<void> {
  if (exchange !== null) await channel.declareExchange(exchange)
  await channel.declareQueue(queue)
  if (exchange === null) return
  for (const key of bindingKeys) await channel.bindQueue(queue.name, exchange.name, key)
}
