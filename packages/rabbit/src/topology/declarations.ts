import type { ClientConnection, ExchangeDeclaration, QueueDeclaration } from '../client/client.ts'
import { fallbackError, isDurabilityMismatch } from '../connection/map-error.ts'
import { type BoundQueue, withoutDurability } from './topology.ts'

/** What a sender needs to exist before it publishes. */
export interface Requirement {
  readonly exchange: ExchangeDeclaration
  /** The queue that keeps notifications while nobody listens. */
  readonly store: BoundQueue | null
}

/** A queue of this driver's own, reached through the default exchange. */
export interface OwnQueueRequirement {
  readonly exchange: null
  readonly queue: QueueDeclaration
}

/** Declares what senders need, once for each connection; every declaration has a channel of its own, so that a refusal
 *  costs nothing else. */
export class Declarations {
  readonly #connection: ClientConnection
  readonly #done = new Map<string, Promise<void>>()
  readonly #ready = new Set<string>()
  /** The same by what was asked with, which is quicker than by key. */
  #known = new WeakSet<Requirement | OwnQueueRequirement>()

  constructor(connection: ClientConnection) {
    this.#connection = connection
  }

  /** Whether it was declared already. */
  has(requirement: Requirement | OwnQueueRequirement): boolean {
    if (this.#known.has(requirement)) return true
    if (!this.#ready.has(requirementKey(requirement))) return false
    this.#known.add(requirement)
    return true
  }

  /** Declares unless that was done. Rejects with the broker's refusal; the next call tries again. */
  async ensure(requirement: Requirement | OwnQueueRequirement): Promise<void> {
    const key = requirementKey(requirement)
    let done = this.#done.get(key)
    if (done === undefined) {
      done = this.#declare(requirement)
      this.#done.set(key, done)
      done.then(
        () => this.#ready.add(key),
        () => this.#done.delete(key),
      )
    }
    await done
  }

  /** Forgets what concerns an exchange that turned out to be gone. */
  forget(exchange: string): void {
    this.#known = new WeakSet()
    for (const key of this.#done.keys()) {
      if (exchangeOfKey(key) !== exchange) continue
      this.#done.delete(key)
      this.#ready.delete(key)
    }
  }

  async #declare(requirement: Requirement | OwnQueueRequirement): Promise<void> {
    if (requirement.exchange === null) return await this.#declareQueue(requirement.queue)
    try {
      await this.#declareOnce(requirement)
    } catch (error) {
      if (!isDurabilityMismatch(error) || !requirement.exchange.durable) throw error
      const { exchange, store } = requirement
      const weaker = {
        exchange: { ...exchange, durable: false },
        store: store === null ? null : withoutDurability(store),
      }
      await this.#declareOnce(weaker).catch((failure: unknown) => {
        throw fallbackError(failure, error)
      })
    }
  }

  async #declareQueue(queue: QueueDeclaration): Promise<void> {
    const channel = await this.#connection.openChannel()
    try {
      await channel.declareQueue(queue)
    } finally {
      void channel.close()
    }
  }

  async #declareOnce({ exchange, store }: Requirement): Promise<void> {
    const channel = await this.#connection.openChannel()
    try {
      await channel.declareExchange(exchange)
      if (store === null) return
      await channel.declareQueue(store.queue)
      if (store.queue.mode !== undefined) return
      for (const key of store.bindingKeys) await channel.bindQueue(store.queue.name, exchange.name, key)
    } finally {
      void channel.close()
    }
  }
}

/** Exchange names hold no newline: amqp-0-9-1 allows letters, digits and `-_.:`. */
function requirementKey(requirement: Requirement | OwnQueueRequirement): string {
  if (requirement.exchange === null) return `\n${requirement.queue.name}`
  const { exchange, store } = requirement
  return store === null ? exchange.name : `${exchange.name}\n${store.queue.name}`
}

function exchangeOfKey(key: string): string {
  const end = key.indexOf('\n')
  return end < 0 ? key : key.slice(0, end)
}
