import type { ClientConfirmChannel, OutgoingPublish, ReturnedMessage } from '../client/client.ts'
import { NACKED } from '../client/client.ts'

/** How a publish ended. Exactly one of these for each message (P05):
 *  `confirmed`: the broker owns it. `returned`: mandatory, and no queue takes it. `nacked`: the broker refused it. `unknown`: the channel ended first.
 *  `unsendable`: no frame can carry it, and nothing was sent. */
export type PublishOutcome =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'returned'; readonly message: ReturnedMessage }
  | { readonly kind: 'nacked' }
  | { readonly kind: 'unknown'; readonly error: unknown; readonly alone: boolean }
  | { readonly kind: 'unsendable'; readonly error: unknown }

const CONFIRMED: PublishOutcome = Object.freeze({ kind: 'confirmed' })
const NACKED_OUTCOME: PublishOutcome = Object.freeze({ kind: 'nacked' })

interface Outstanding {
  readonly message: OutgoingPublish
  returned: ReturnedMessage | undefined
}

/** One confirm channel. Messages to one exchange share one, so that an error on one exchange does not touch the others (P15). */
export class ExchangeChannel {
  readonly #channel: ClientConfirmChannel
  readonly #mandatory = new Set<Outstanding>()
  #outstanding = 0
  #atClose = 0
  #open = true
  #retired = false

  constructor(channel: ClientConfirmChannel) {
    this.#channel = channel
    channel.onClosed = () => {
      this.#open = false
    }
    channel.onReturn = (returned) => this.#noteReturn(returned)
  }

  /** Whether new messages may go this way. */
  get usable(): boolean {
    return this.#open && !this.#retired
  }

  get outstanding(): number {
    return this.#outstanding
  }

  /** Hands one message over. False when the channel is gone: nothing was sent. `onOutcome` is called exactly once otherwise. Throws what the encoder throws. */
  publish(message: OutgoingPublish, onOutcome: (outcome: PublishOutcome) => void): boolean {
    const entry: Outstanding = { message, returned: undefined }
    let isSent = false
    const onConfirm = (error: unknown): void => {
      if (!isSent) return
      // Confirms that fail together were lost together: count them before the first is settled.
      if (error !== null && this.#atClose === 0) this.#atClose = this.#outstanding
      this.#outstanding -= 1
      if (message.mandatory) this.#mandatory.delete(entry)
      onOutcome(this.#outcome(entry, error))
      if (this.#retired && this.#outstanding === 0) void this.#channel.close()
    }
    try {
      isSent = this.#channel.publish(message, onConfirm)
    } catch (error) {
      // The client library may count it as published: the confirms of later messages would be taken for those of the ones before.
      this.retire()
      throw error
    }
    if (!isSent) return false
    this.#outstanding += 1
    if (message.mandatory) this.#mandatory.add(entry)
    return true
  }

  /** Takes no more messages and closes when the last one is settled: after a nack, a fresh channel may be confirmed where this one never would. */
  retire(): void {
    this.#retired = true
    if (this.#outstanding === 0) void this.#channel.close()
  }

  #outcome(entry: Outstanding, error: unknown): PublishOutcome {
    if (error === null) return entry.returned === undefined ? CONFIRMED : { kind: 'returned', message: entry.returned }
    if (error instanceof Error && error.message === NACKED) {
      this.#atClose = 0
      return NACKED_OUTCOME
    }
    return { kind: 'unknown', error: this.#channel.reason ?? error, alone: this.#atClose === 1 }
  }

  /** A return carries no delivery tag. Bodies hold an id of their own, so exchange, key and body name the message; it comes before its confirm. */
  #noteReturn(returned: ReturnedMessage): void {
    for (const entry of this.#mandatory) {
      const { message } = entry
      if (
        entry.returned === undefined &&
        message.routingKey === returned.routingKey &&
        message.exchange === returned.exchange &&
        message.body.equals(returned.body)
      ) {
        entry.returned = returned
        return
      }
    }
  }
}
