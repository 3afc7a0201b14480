import { type Backoff, TransportHost } from '@oslo-messaging/core/driver'
import { classify } from './map-error.ts'

/** The hosts of a URL, one after the other. Upstream begins at a random one, so that clients spread. */
export class ServedHosts {
  readonly #hosts: readonly TransportHost[]
  #next: number
  /** Failures since the last success, and how many of them in a row were final for their host. */
  #failures = 0
  #refusals = 0

  constructor(hosts: readonly TransportHost[], random: () => number) {
    this.#hosts = hosts.length === 0 ? [new TransportHost({ hostname: 'localhost' })] : hosts
    this.#next = Math.floor(random() * this.#hosts.length)
  }

  next(): TransportHost {
    const host = this.#hosts[this.#next % this.#hosts.length]
    this.#next += 1
    return host as TransportHost
  }

  succeeded(): void {
    this.#failures = 0
    this.#refusals = 0
  }

  /** What one host refuses for good, another may allow: it is over when all of them in a row refuse. */
  classify(error: unknown): 'retry' | 'fatal' {
    this.#failures += 1
    this.#refusals = classify(error) === 'fatal' ? this.#refusals + 1 : 0
    return this.#refusals >= this.#hosts.length ? 'fatal' : 'retry'
  }

  /** A backoff that waits only when every host has been asked: the next one may be up. */
  betweenRounds(backoff: Backoff): Backoff {
    return {
      next: () => (this.#failures % this.#hosts.length === 0 ? backoff.next() : 0),
      reset: () => backoff.reset(),
    }
  }
}
