import type { ClientConfirmChannel, OutgoingPublish, ReturnedMessage } from '../client/client.ts'
import { NACKED } from '../client/client.ts'
import { judge, type Verdict } from './refusal.ts'

/** How a publish ended. Exactly one of these for each message (P05):
 *  `confirmed`: the broker owns it. `returned`: mandatory, and no queue takes it. `nacked`: one of its queues did not
 *  take it; another, or the same one before it died, may have. `refused`: the broker never takes it.
 *  `unsent`: the broker closed the channel because of one before it, and never looked at it. `unsendable`: no frame can
 *  carry it, and nothing was sent.
 *  `unknown`: the channel ended first; `because` tells whether another message, or perhaps this one, was the reason. */
export type PublishOutcome =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'returned'; readonly message: ReturnedMessage }
  | { readonly kind: 'nacked' }
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'unsent' }
  | { readonly kind: 'unknown'; readonly error: unknown; readonly alone: boolean; readonly because: UnknownCause }
  | { readonly kind: 'unsendable'; readonly error: unknown }

/** Why nobody knows: the channel ended, the broker closed it because of another message, or because of this one or
 *  another. */
export type UnknownCause = 'loss' | 'other' | 'suspect'

export const CONFIRMED: PublishOutcome = Object.freeze({ kind: 'confirmed' })
const NACKED_OUTCOME: PublishOutcome = Object.freeze({ kind: 'nacked' })

interface Outstanding {
  readonly message: OutgoingPublish
  readonly onOutcome: (outcome: PublishOutcome) => void
  returned: ReturnedMessage | undefined
}

/** One confirm channel. Messages to one exchange share one, so that an error on one exchange does not touch the others
 *  (P15). */
export class ExchangeChannel {
  readonly #channel: ClientConfirmChannel
  readonly #mandatory = new Set<Outstanding>()
  #outstanding = 0
  /** Confirms that fail together were lost together: they are judged when all of them are here. */
  #lost: Outstanding[] = []
  #confirmedAny = false
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

  /** Hands one message over. False when the channel is gone: nothing was sent. `onOutcome` is called exactly once
   *  otherwise. Throws what the encoder throws. */
  publish(message: OutgoingPublish, onOutcome: (outcome: PublishOutcome) => void): boolean {
    const entry: Outstanding = { message, onOutcome, returned: undefined }
    let isSent = false
    const onConfirm = (error: unknown): void => {
      if (!isSent) return
      if (error === null) this.#confirmedAny = true
      else if (!isNack(error)) return this.#noteLost(entry, error)
      this.#end(entry, error === null ? takenOutcome(entry) : NACKED_OUTCOME)
    }
    try {
      isSent = this.#channel.publish(message, onConfirm)
    } catch (error) {
      // The client library may count it as published: the confirms of later messages would be taken for those of the
      // ones before.
      this.retire()
      throw error
    }
    if (!isSent) {
      // Its end is not told yet. Whoever tried it again until then would keep the process from ever hearing of it.
      this.#open = false
      return false
    }
    this.#outstanding += 1
    if (message.mandatory) this.#mandatory.add(entry)
    return true
  }

  /** Takes no more messages and closes when the last one is settled: after a nack, a fresh channel may be confirmed
   *  where this one never would. */
  retire(): void {
    this.#retired = true
    if (this.#outstanding === 0) void this.#channel.close()
  }

  #end(entry: Outstanding, outcome: PublishOutcome): void {
    this.#outstanding -= 1
    if (entry.message.mandatory) this.#mandatory.delete(entry)
    entry.onOutcome(outcome)
    if (this.#retired && this.#outstanding === 0) void this.#channel.close()
  }

  #noteLost(entry: Outstanding, error: unknown): void {
    // Before the channel itself says that it is over.
    this.#open = false
    this.#lost.push(entry)
    if (this.#lost.length < this.#outstanding) return
    const lost = this.#lost
    this.#lost = []
    const reason = this.#channel.reason ?? error
    const alone = lost.length === 1
    const messages = lost.map(({ message }) => message)
    for (const [index, verdict] of judge(reason, messages, this.#confirmedAny).entries()) {
      const one = lost[index]
      if (one !== undefined) this.#end(one, lostOutcome(verdict, reason, alone))
    }
  }

  /** A return carries no delivery tag. Bodies hold an id of their own, so exchange, key and body name the message; it
   *  comes before its confirm. */
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

function isNack(error: unknown): boolean {
  return error instanceof Error && error.message === NACKED
}

function takenOutcome({ returned }: Outstanding): PublishOutcome {
  return returned === undefined ? CONFIRMED : { kind: 'returned', message: returned }
}

function lostOutcome(verdict: Verdict, error: unknown, alone: boolean): PublishOutcome {
  if (verdict === 'refused') return { kind: 'refused', error }
  if (verdict === 'unsent') return { kind: 'unsent' }
  return { kind: 'unknown', error, alone, because: CAUSES[verdict] }
}

const CAUSES = { lost: 'loss', passed: 'other', suspect: 'suspect' } as const
