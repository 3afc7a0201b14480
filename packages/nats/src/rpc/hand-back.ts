import {
  createBackoff,
  Deadline,
  type DriverContext,
  emitDiagnostic,
  isMessagingError,
} from '@oslo-messaging/core/driver'
import type { NatsOptions } from '../config.ts'
import type { Outgoing, Sender } from '../send/sender.ts'

/** Longest time that a request without one of its own is offered to other servers. */
const OFFER_MS = 60_000

/** Requests that a server of this process had and did not begin: given to other servers of their topic, in the order in
 *  which they came, as soon as one takes them. NATS itself keeps none of them. */
export class HandBack {
  readonly #sender: Sender
  readonly #context: DriverContext<NatsOptions>
  readonly #abort = new AbortController()
  /** The end of the line for each subject: order is kept within one. */
  readonly #lines = new Map<string, Promise<void>>()

  constructor(sender: Sender, context: DriverContext<NatsOptions>) {
    this.#sender = sender
    this.#context = context
  }

  /** `expiresInMs`: undefined when nobody waits for a reply. Never rejects. */
  offer(outgoing: Outgoing, expiresInMs: number | undefined): Promise<void> {
    const before = this.#lines.get(outgoing.subject) ?? Promise.resolve()
    const deadline = Deadline.after(expiresInMs ?? OFFER_MS, {
      clock: this.#context.clock,
      signal: this.#abort.signal,
    })
    const offered = before.then(() => this.#offer(outgoing, deadline))
    this.#lines.set(outgoing.subject, offered)
    void offered.then(() => {
      if (this.#lines.get(outgoing.subject) === offered) this.#lines.delete(outgoing.subject)
    })
    return offered
  }

  /** Gives what is left one last chance of `patienceMs`, then reports it as lost. */
  async close(patienceMs: number): Promise<void> {
    const waiting = Promise.all(this.#lines.values())
    const timer = this.#context.clock.setTimeout(
      () => this.#abort.abort(new Error('The driver was closed')),
      patienceMs,
    )
    await waiting
    this.#context.clock.clearTimeout(timer)
  }

  async #offer(outgoing: Outgoing, deadline: Deadline): Promise<void> {
    const backoff = createBackoff({ initialMs: 20, factor: 2, maxMs: 500, random: this.#context.random })
    try {
      for (;;) {
        if (await this.#sender.hand(outgoing, { deadline, retries: null })) return
        await deadline.sleep(backoff.next(), { phase: 'publish', delivery: 'not-sent' })
      }
    } catch (error) {
      const reason = isMessagingError(error, 'TIMEOUT') ? 'expired' : 'revoked'
      const { subject } = outgoing
      this.#context.logger.warn('A request that was handed back found no server', { subject })
      emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: 'nats', source: subject, reason, error }))
    }
  }
}
