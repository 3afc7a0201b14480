import {
  type Backoff,
  type HostAddress,
  HostRotation,
  type HostRotationOptions,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { classify } from './map-error.ts'

const DEFAULT_PORT = 5672

/** The hosts of a URL in turn, and what has become of them since one was last reached. */
export class ServedHosts {
  readonly #hosts: HostRotation
  /** Failures since the last success, and how many of them in a row were final for their host. */
  #failures = 0
  #refusals = 0

  constructor(url: TransportURL, random: HostRotationOptions['random']) {
    this.#hosts = new HostRotation(url, { defaultPort: DEFAULT_PORT, random })
  }

  next(): HostAddress {
    return this.#hosts.next()
  }

  succeeded(): void {
    this.#failures = 0
    this.#refusals = 0
  }

  /** What one host refuses for good, another may allow: it is over when all of them in a row refuse. */
  classify(error: unknown): 'retry' | 'fatal' {
    this.#failures += 1
    this.#refusals = classify(error) === 'fatal' ? this.#refusals + 1 : 0
    return this.#refusals >= this.#hosts.size ? 'fatal' : 'retry'
  }

  /** A backoff that waits only when every host has been asked: the next one may be up. */
  betweenRounds(backoff: Backoff): Backoff {
    return {
      next: () => (this.#failures % this.#hosts.size === 0 ? backoff.next() : 0),
      reset: () => backoff.reset(),
    }
  }
}
