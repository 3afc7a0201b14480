import type { Clock } from '@oslo-messaging/core/driver'
import type { ClientChannel } from '../client/client.ts'

const MOST_MESSAGES = 64
const MOST_BYTES = 1024 * 1024
const LATEST_MS = 20

/** Acknowledges replies in groups: nobody waits for the acknowledgement, and the queue is this process's own. Consuming
 *  without acknowledgements would cost as little, but lose what is on its way when the connection breaks; so the broker
 *  repeats it. */
export class ReplyAcks {
  readonly #channel: ClientChannel
  readonly #clock: Clock
  readonly #mostMessages: number
  #last = 0
  #messages = 0
  #bytes = 0
  #timer: unknown

  /** `prefetch`: what the broker delivers without an acknowledgement; 0: no limit. */
  constructor(channel: ClientChannel, clock: Clock, prefetch: number) {
    this.#channel = channel
    this.#clock = clock
    this.#mostMessages = prefetch === 0 ? MOST_MESSAGES : Math.max(1, Math.min(MOST_MESSAGES, Math.floor(prefetch / 2)))
  }

  acknowledge(tag: number, bytes: number): void {
    this.#last = tag
    this.#messages += 1
    this.#bytes += bytes
    if (this.#messages >= this.#mostMessages || this.#bytes >= MOST_BYTES) this.#flush()
    else this.#timer ??= this.#clock.setTimeout(() => this.#flush(), LATEST_MS)
  }

  reject(tag: number): void {
    this.#channel.reject(tag, false)
  }

  #flush(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#messages > 0) this.#channel.acknowledge(this.#last, this.#messages > 1)
    this.#messages = 0
    this.#bytes = 0
  }
}
