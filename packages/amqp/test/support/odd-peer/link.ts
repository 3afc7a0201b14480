import type { Condition, Fields, Frame, Outcome } from './frames.ts'
import type { Stored } from './nodes.ts'
import type { OddSession } from './session.ts'

/** How one message is delivered. */
export interface DeliverOptions {
  /** Default: false. */
  readonly settled?: boolean
  /** Cut into so many frames at least. Default: 1, or as many as the client's max-frame-size asks. */
  readonly frames?: number
  /** Leave out the last frame and abort the delivery instead. */
  readonly aborted?: boolean
  /** Fields of every transfer. */
  readonly fields?: Fields
}

const serial = (value: number): number => value >>> 0

/** One link of a client, at this end. */
export class OddLink {
  readonly session: OddSession
  readonly name: string
  readonly handle: number
  readonly address: string
  /** True: the client sends and this peer receives. */
  readonly isIncoming: boolean
  /** Where what it is given comes from: its address, or its copy of a topic. */
  node = ''
  /** What the client may still be sent, or still send. */
  credit = 0
  deliveryCount: number
  readonly #settles: boolean
  readonly #unsettled = new Map<number, Stored>()
  #parts: Buffer[] = []
  #forgiven = 0

  constructor(session: OddSession, attach: Fields, address: string) {
    this.session = session
    this.name = attach.name ?? ''
    this.handle = attach.handle ?? 0
    this.address = address
    this.isIncoming = attach.role === false
    this.deliveryCount = attach.initialDeliveryCount ?? 0
    this.#settles = attach.sndSettleMode === 1
  }

  get hasRoom(): boolean {
    return this.credit > 0 && this.session.remoteWindow > 0
  }

  /** Delivers a stored message, and keeps it until the client has said what becomes of it. */
  give(stored: Stored): void {
    const id = this.deliver(stored.payload, { settled: this.#settles })
    if (!this.#settles) this.#unsettled.set(id, stored)
  }

  /** Sends a message whatever the credit is. Returns its delivery id. */
  deliver(payload: Buffer, options: DeliverOptions = {}): number {
    const { session } = this
    const { settled = false, frames = 1, aborted = false } = options
    const id = session.nextDeliveryId
    session.nextDeliveryId = serial(id + 1)
    const size = Math.max(
      1,
      Math.min(Math.ceil(payload.length / frames), session.connection.maxFrameSizeOfClient - 128),
    )
    const parts: Buffer[] = []
    for (let at = 0; at === 0 || at < payload.length; at += size) parts.push(payload.subarray(at, at + size))
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1
      const first =
        index === 0 ? { deliveryId: id, deliveryTag: Buffer.from(String(id)), messageFormat: 0, settled } : {}
      const how = isLast && aborted ? { aborted: true } : isLast ? {} : { more: true }
      session.say('transfer', { handle: this.handle, ...first, ...how, ...options.fields }, part)
      session.sent()
    }
    this.credit -= 1
    this.deliveryCount = serial(this.deliveryCount + 1)
    return id
  }

  /** Lets the client send so many messages from now on. When it is less than before, what is under way is forgiven
   *  until the client has heard of it, which it is asked to say. */
  giveCredit(credit: number): void {
    if (credit < this.credit) this.#forgiven = Math.max(this.#forgiven, this.credit)
    this.credit = credit
    const echo = this.#forgiven > 0
    this.session.flow({ handle: this.handle, deliveryCount: this.deliveryCount, linkCredit: credit, echo })
  }

  /** Whether the client may send one more message; it has begun to. */
  get isOverdrawn(): boolean {
    if (this.credit > 0) return false
    if (this.#forgiven === 0) return true
    this.#forgiven -= 1
    return false
  }

  detach(error?: Condition): void {
    this.session.forget(this)
    this.session.leaving.add(this.handle)
    this.session.say('detach', { handle: this.handle, closed: true, ...(error === undefined ? {} : { error }) })
  }

  /** A transfer of the client. The whole message once it is there; undefined while it is not, or was aborted. */
  collect({ fields, payload = Buffer.alloc(0) }: Frame): Frame['payload'] {
    if (fields.aborted === true) {
      this.#parts = []
      this.taken()
      return undefined
    }
    this.#parts.push(payload)
    if (fields.more === true) return undefined
    const whole = Buffer.concat(this.#parts.splice(0))
    this.taken()
    return whole
  }

  taken(): void {
    this.credit -= 1
    this.deliveryCount = serial(this.deliveryCount + 1)
  }

  onFlow({ linkCredit = 0, deliveryCount, drain }: Fields): void {
    this.#forgiven = 0
    if (this.isIncoming) return
    this.credit = linkCredit + ((deliveryCount ?? 0) - this.deliveryCount)
    if (drain !== true) return
    // What there is comes first.
    this.session.connection.nodes.pump(this.node)
    this.deliveryCount = serial(this.deliveryCount + Math.max(0, this.credit))
    this.credit = 0
    this.session.flow({ handle: this.handle, deliveryCount: this.deliveryCount, linkCredit: 0, drain: true })
  }

  /** What the client says of deliveries; those of this link among them are settled. */
  onOutcome(first: number, last: number, outcome: Outcome | null | undefined): void {
    const { nodes } = this.session.connection
    for (const [id, stored] of this.#unsettled) {
      if (serial(id - first) > serial(last - first)) continue
      this.#unsettled.delete(id)
      const type = outcome?.type ?? 'accepted'
      nodes.outcomes.push({ address: this.address, type, payload: stored.payload })
      const isBack = type === 'released' || (outcome?.type === 'modified' && outcome.undeliverableHere !== true)
      if (isBack) nodes.putBack(this.node, stored)
    }
  }

  takeBack(): Stored[] {
    const back = [...this.#unsettled.values()]
    this.#unsettled.clear()
    return back
  }
}
