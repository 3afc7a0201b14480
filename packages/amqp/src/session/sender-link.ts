import { Link, type LinkHandlers, type LinkIdentity, type LinkSession, type OutgoingDelivery } from './link.ts'
import { type Outcome, outcomeOf } from './delivery-state.ts'
import type { Attach, Flow } from './performatives.ts'
import { ahead, serial } from './serial.ts'

export interface SenderHandlers extends LinkHandlers {
  /** A message may be handed over that could not a moment ago. */
  readonly onRoom: () => void
}

interface SendingEvents {
  readonly onOutcome?: (outcome: Outcome) => void
  readonly onWritten?: () => void
}

/** One delivery under way: settled, unless somebody waits for its outcome. */
class Sending implements OutgoingDelivery {
  readonly id: number
  readonly settled: boolean
  readonly onWritten: (() => void) | undefined
  readonly #onOutcome: ((outcome: Outcome) => void) | undefined
  /** What is still to be written; undefined: all has been. */
  rest: Buffer | undefined
  /** The peer has settled it before it was whole. */
  isOver = false

  constructor(session: LinkSession, payload: Buffer, { onOutcome, onWritten }: SendingEvents) {
    this.settled = onOutcome === undefined
    this.rest = payload
    this.onWritten = onWritten
    this.#onOutcome = onOutcome
    this.id = session.begin(this, this.settled)
  }

  onOutcome(state: unknown, settled: boolean): void {
    const outcome = outcomeOf(state, settled)
    if (outcome === undefined) return
    this.isOver = true
    this.#onOutcome?.(outcome)
  }
}

/** A link that messages leave by, and the account of its credit. */
export class SenderLink extends Link {
  readonly #handlers: SenderHandlers
  #credit = 0
  #deliveryCount = 0
  #isDraining = false
  /** A message that the window, or the network, took only a part of. The next one follows it. */
  #partial: Sending | undefined

  constructor(session: LinkSession, identity: LinkIdentity, handlers: SenderHandlers) {
    super(session, identity, handlers)
    this.#handlers = handlers
  }

  /** Bytes of a message that the peer takes; Infinity: any. */
  get maxMessageSize(): number {
    const size = this.remote?.maxMessageSize ?? 0
    return size === 0 ? Infinity : size
  }

  /** Messages that the peer has let in and that were not sent. */
  get credit(): number {
    return this.#credit
  }

  /** A message that is handed over now leaves now. When it is false, `onRoom` is called once it may be true again. */
  get hasRoom(): boolean {
    if (!this.isOpen || this.#credit <= 0 || this.#partial !== undefined) return false
    if (this.session.hasWindow) return true
    this.session.waitForWindow(this)
    return false
  }

  /** Why there is no room, for people. */
  get obstacle(): string {
    if (this.isOpen && this.#credit > 0 && !this.session.hasWindow) return 'the peer takes no transfers'
    return 'the peer gives no credit'
  }

  /** Sends a message; only when there is room. `onOutcome` is called once with what the peer makes of it, and not at
   *  all when the link goes first. Returns what forgets it: then it is not called either. */
  send(payload: Buffer, onOutcome: (outcome: Outcome) => void): () => void {
    const sending = new Sending(this.session, payload, { onOutcome })
    this.#begin(sending)
    return () => this.session.forget(sending.id)
  }

  /** Sends a message settled; only when there is room. `onWritten` is called once, when all of it has been handed to
   *  the socket, and not at all when the link goes first. */
  sendSettled(payload: Buffer, onWritten: () => void): void {
    this.#begin(new Sending(this.session, payload, { onWritten }))
  }

  /** For the session. */
  onRoom(): void {
    const partial = this.#partial
    if (partial !== undefined) {
      this.#partial = undefined
      this.#write(partial)
    }
    if (this.isOpen && this.#partial === undefined && this.#credit > 0) this.#handlers.onRoom()
  }

  /** For the session. */
  onFlow({ deliveryCount = 0, linkCredit = 0, drain }: Flow): void {
    if (!this.isOpen) return
    this.#credit = ahead(this.#deliveryCount, deliveryCount) + linkCredit
    this.#isDraining = drain
    this.onRoom()
    this.#giveBack()
  }

  protected opened(_remote: Attach): void {}

  protected gone(): void {
    // The detach ends a message that was begun as well.
    this.#credit = 0
    this.#partial = undefined
  }

  #begin(sending: Sending): void {
    this.#credit -= 1
    this.#deliveryCount = serial(this.#deliveryCount + 1)
    this.#write(sending)
  }

  #write(sending: Sending): void {
    const { session } = this
    let rest = sending.rest
    while (rest !== undefined) {
      if (!session.hasWindow) {
        sending.rest = rest
        this.#partial = sending
        session.waitForWindow(this)
        return
      }
      // Settled by the peer in the middle: the rest of it is of no use to anybody.
      if (sending.isOver) return this.#abort(sending)
      const payload = rest.length > session.maxPayload ? rest.subarray(0, session.maxPayload) : rest
      rest = payload.length === rest.length ? undefined : rest.subarray(payload.length)
      session.sendTransfer(this.handle, {
        deliveryId: sending.id,
        settled: sending.settled,
        more: rest !== undefined,
        payload,
      })
    }
    sending.rest = undefined
    if (sending.onWritten !== undefined) session.onWritten(sending.onWritten)
    this.#giveBack()
  }

  #abort(sending: Sending): void {
    sending.rest = undefined
    this.session.forget(sending.id)
    this.session.sendTransfer(this.handle, {
      deliveryId: sending.id,
      settled: sending.settled,
      more: false,
      aborted: true,
      payload: EMPTY,
    })
  }

  /** A peer that asks for the credit back gets it: what is left is not needed now, and is asked for again by the next
   *  message. */
  #giveBack(): void {
    if (!this.#isDraining || this.#partial !== undefined || this.#credit <= 0) return
    this.#isDraining = false
    this.#deliveryCount = serial(this.#deliveryCount + this.#credit)
    this.#credit = 0
    this.session.sendFlow({ handle: this.handle, deliveryCount: this.#deliveryCount, linkCredit: 0, drain: true })
  }
}

const EMPTY = Buffer.alloc(0)
