import type { IncomingNotification } from '../driver/messages.ts'
import type { Claim, Once } from '../idempotency/once.ts'
import type { NotificationFailures } from './failures.ts'
import type { NotificationReporter } from './reporter.ts'

/** The claims of one listener on the notifications that it handles. */
export class NotificationClaims {
  readonly #once: Once
  readonly #reporter: NotificationReporter
  readonly #claims = new Map<IncomingNotification, Claim>()

  constructor(once: Once, reporter: NotificationReporter) {
    this.#once = once
    this.#reporter = reporter
  }

  /** Asks for a notification. `mine`: endpoints may have it, also one without an id. `again`: it is to be asked for
   *  again now. `settled`: nothing is left to do with it here. Never rejects. */
  async take(incoming: IncomingNotification, failures: NotificationFailures): Promise<'mine' | 'again' | 'settled'> {
    const id = incoming.message['message_id']
    if (typeof id !== 'string') return 'mine'
    const claim = await this.#once.claim(id)
    if (typeof claim !== 'string') {
      this.#claims.set(incoming, claim)
      return 'mine'
    }
    const next = claim === 'done' ? 'gone' : await failures.held(incoming, this.#once.retryAfterMs)
    if (next === 'again') return 'again'
    if (next === 'gone') {
      this.#reporter.duplicate(incoming)
      incoming.acknowledge()
    }
    return 'settled'
  }

  /** It was handled. */
  done(incoming: IncomingNotification): Promise<void> | undefined {
    return this.#end(incoming)?.done()
  }

  /** It is free for whoever handles it next, which may be another process. */
  release(incoming: IncomingNotification): Promise<void> | undefined {
    return this.#end(incoming)?.release()
  }

  #end(incoming: IncomingNotification): Claim | undefined {
    const claim = this.#claims.get(incoming)
    this.#claims.delete(incoming)
    return claim
  }
}
