import { type Clock, systemClock } from '../util/clock.ts'
import type { ClaimState, IdempotencyStore } from './idempotency-store.ts'

interface Entry {
  /** null: the message was handled. */
  readonly owner: string | null
  readonly until: number
}

/** Claims of one process: for tests, and for a process whose channel to the broker comes and goes. Forgets with the
 *  process. */
export class MemoryIdempotencyStore implements IdempotencyStore {
  readonly #clock: Clock
  /** In the order of their last change, so that what is over comes first, more or less. */
  readonly #entries = new Map<string, Entry>()

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock
  }

  /** Messages that are held or remembered. */
  get size(): number {
    return this.#entries.size
  }

  async claim(
    id: string,
    { owner, leaseMs }: { readonly owner: string; readonly leaseMs: number },
  ): Promise<ClaimState> {
    const entry = this.#current(id)
    if (entry !== undefined && entry.owner !== owner) return entry.owner === null ? 'done' : 'held'
    this.#set(id, owner, leaseMs)
    return 'claimed'
  }

  async done(id: string, { keepMs }: { readonly owner: string; readonly keepMs: number }): Promise<void> {
    this.#set(id, null, keepMs)
  }

  async release(id: string, { owner }: { readonly owner: string }): Promise<void> {
    if (this.#entries.get(id)?.owner === owner) this.#entries.delete(id)
  }

  #current(id: string): Entry | undefined {
    const entry = this.#entries.get(id)
    return entry === undefined || entry.until <= this.#clock.now() ? undefined : entry
  }

  #set(id: string, owner: string | null, forMs: number): void {
    this.#entries.delete(id)
    this.#entries.set(id, { owner, until: this.#clock.now() + forMs })
    for (const [oldest, { until }] of this.#entries) {
      if (until > this.#clock.now()) return
      this.#entries.delete(oldest)
    }
  }
}
