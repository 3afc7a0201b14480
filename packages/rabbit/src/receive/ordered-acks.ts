import type { ClientChannel } from '../client/client.ts'

/** Collects the acknowledgements of one turn of the event loop and sends them with `multiple` as far as the order of
 *  deliveries allows (DESIGN D17). Every delivery of the channel must be settled through it, because it relies on tags
 *  that count up from 1. */
export class OrderedAcks {
  readonly #channel: ClientChannel
  /** Everything up to this tag is settled. */
  #settledUpTo = 0
  /** Acknowledged here, not yet told to the broker. */
  readonly #acknowledged = new Set<number>()
  /** Above `settledUpTo`, and the broker knows. */
  readonly #settled = new Set<number>()
  #scheduled = false

  constructor(channel: ClientChannel) {
    this.#channel = channel
  }

  acknowledge(tag: number): void {
    this.#acknowledged.add(tag)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  reject(tag: number, requeue: boolean): void {
    if (this.#channel.reject(tag, requeue)) this.#settled.add(tag)
  }

  /** Sends what is collected, now. */
  flush(): void {
    this.#scheduled = false
    let last = 0
    let count = 0
    for (;;) {
      const tag = this.#settledUpTo + 1
      if (this.#acknowledged.delete(tag)) {
        last = tag
        count += 1
      } else if (!this.#settled.delete(tag)) break
      this.#settledUpTo = tag
    }
    if (count > 0) this.#channel.acknowledge(last, count > 1)
    for (const tag of this.#acknowledged) {
      this.#channel.acknowledge(tag, false)
      this.#settled.add(tag)
    }
    this.#acknowledged.clear()
  }
}
