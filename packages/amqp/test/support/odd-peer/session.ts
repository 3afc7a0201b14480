import type { OddConnection } from './connection.ts'
import type { Condition, Fields, Frame, FrameName } from './frames.ts'
import { OddLink } from './link.ts'
import { answerManagement } from './management.ts'

const WINDOW = 2_048
const CREDIT = 1_000
const serial = (value: number): number => value >>> 0

/** One session of a client, at this end. */
export class OddSession {
  readonly connection: OddConnection
  readonly channel: number
  /** By the client's handle, one each way: a management pair has the same name, not the same handle. */
  readonly links = new Map<number, OddLink>()
  /** Of transfers, which are counted one by one, and of the deliveries that they belong to. */
  nextOutgoingId: number
  nextDeliveryId: number
  /** Handles this peer has detached and the client has not: what still comes for them is ignored. */
  readonly leaving = new Set<number>()
  /** Transfers that the client may still be sent. */
  remoteWindow: number
  /** The window that a test has set; null: it is given back as it is used. */
  #window: number | null = null
  /** Transfers that the client may still send; below zero while some are forgiven. */
  #room = WINDOW
  /** Transfers under way when the window was made smaller, until the client has heard of it. */
  #forgiven = 0
  #nextIncomingId: number
  #isOver = false
  /** Of the delivery that is coming in: what follows its first frame need not repeat it. */
  #deliveryId = 0
  #settled = false

  constructor(connection: OddConnection, channel: number, begin: Fields) {
    this.connection = connection
    this.channel = channel
    this.nextOutgoingId = connection.options.firstDeliveryId ?? 0
    this.nextDeliveryId = this.nextOutgoingId
    this.remoteWindow = begin.incomingWindow ?? 0
    this.#nextIncomingId = begin.nextOutgoingId ?? 0
  }

  begun(): void {
    const { handleMax, incomingWindow = WINDOW } = this.connection.options
    this.#room = incomingWindow
    if (incomingWindow !== WINDOW) this.#window = incomingWindow
    this.say('begin', {
      remoteChannel: this.channel,
      nextOutgoingId: this.nextOutgoingId,
      incomingWindow,
      outgoingWindow: WINDOW,
      ...(handleMax === undefined ? {} : { handleMax }),
    })
  }

  say(name: FrameName, fields: Fields, payload?: Buffer): void {
    this.connection.say({ channel: this.channel, name, fields, ...(payload === undefined ? {} : { payload }) })
  }

  flow(link: Fields = {}): void {
    this.say('flow', {
      nextIncomingId: this.#nextIncomingId,
      incomingWindow: Math.max(0, this.#room),
      nextOutgoingId: this.nextOutgoingId,
      outgoingWindow: WINDOW,
      ...link,
    })
  }

  /** Lets the client send so many transfers from now on, and none after them; null: any number again. */
  window(size: number | null): void {
    this.#window = size
    const room = size ?? WINDOW
    if (room < this.#room) this.#forgiven = Math.max(this.#forgiven, this.#room)
    this.#room = room
    this.flow(this.#forgiven > 0 ? { echo: true } : {})
  }

  end(error?: Condition): void {
    this.#finish()
    this.connection.sessions.delete(this.channel)
    this.say('end', error === undefined ? {} : { error })
  }

  /** A transfer frame has left. */
  sent(): void {
    this.nextOutgoingId = serial(this.nextOutgoingId + 1)
    this.remoteWindow -= 1
  }

  forget(link: OddLink): void {
    this.links.delete(link.handle)
    if (!link.isIncoming) this.connection.nodes.leave(link)
  }

  take(frame: Frame): void {
    const { fields } = frame
    if (frame.name === 'attach') this.#onAttach(fields)
    else if (frame.name === 'flow') this.#onFlow(fields)
    else if (frame.name === 'transfer') this.#onTransfer(frame)
    else if (frame.name === 'disposition') this.#onDisposition(fields)
    else if (frame.name === 'detach') {
      const link = this.links.get(fields.handle ?? -1)
      if (link === undefined) return void this.leaving.delete(fields.handle ?? -1)
      this.forget(link)
      this.say('detach', { handle: link.handle, closed: fields.closed === true })
    } else if (frame.name === 'end') {
      this.#finish()
      this.connection.sessions.delete(this.channel)
      this.say('end', {})
    }
  }

  /** The links are gone. */
  over(): void {
    this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const link of this.links.values()) this.forget(link)
  }

  #onAttach(attach: Fields): void {
    const { options, nodes } = this.connection
    const { handle = 0, role, name } = attach
    if (handle > (options.handleMax ?? 0xffffffff))
      return this.connection.violated(`handle ${handle} is beyond handle-max ${options.handleMax}`)
    const isIncoming = role === false
    const asked = isIncoming ? attach.target : attach.source
    const address = asked?.dynamic === true ? `dynamic.${this.connection.nextName()}` : (asked?.address ?? '')
    const refusal = options.refuse?.(address)
    const terminus = refusal === undefined ? { ...asked, address } : null
    const common = { ...(name === undefined ? {} : { name }), handle, role: isIncoming }
    const settleModes = { sndSettleMode: attach.sndSettleMode ?? 2, rcvSettleMode: 0 }
    this.say('attach', {
      ...common,
      ...settleModes,
      source: isIncoming ? (attach.source ?? null) : terminus,
      target: isIncoming ? terminus : (attach.target ?? null),
      ...(isIncoming ? {} : { initialDeliveryCount: options.initialDeliveryCount ?? 0 }),
      ...(options.maxMessageSize === undefined ? {} : { maxMessageSize: options.maxMessageSize }),
    })
    if (refusal !== undefined) return this.say('detach', { handle, closed: true, error: refusal })
    const count = isIncoming ? attach.initialDeliveryCount : options.initialDeliveryCount
    const link = new OddLink(this, { ...attach, initialDeliveryCount: count ?? 0 }, address)
    this.links.set(handle, link)
    if (options.keepsNothing?.(address) === true) nodes.keepNothing(address)
    if (!isIncoming) nodes.join(link)
    else if (options.credit?.(address) !== 0) link.giveCredit(options.credit?.(address) ?? CREDIT)
  }

  #onFlow(flow: Fields): void {
    const { nextIncomingId, incomingWindow = 0, handle } = flow
    if (handle === undefined) this.#forgiven = 0
    const seen = nextIncomingId ?? this.connection.options.firstDeliveryId ?? 0
    this.remoteWindow = incomingWindow - serial(this.nextOutgoingId - seen)
    const link = handle === undefined ? undefined : this.links.get(handle)
    link?.onFlow(flow)
    if (flow.echo === true)
      this.flow(
        link === undefined
          ? {}
          : { handle: link.handle, deliveryCount: link.deliveryCount, linkCredit: Math.max(0, link.credit) },
      )
    // A wider window lets every link of the session go on.
    for (const each of this.links.values()) if (!each.isIncoming) this.connection.nodes.pump(each.node)
  }

  #onTransfer(frame: Frame): void {
    const { fields } = frame
    const { nodes, options } = this.connection
    this.#nextIncomingId = serial(this.#nextIncomingId + 1)
    this.#room -= 1
    if (this.#room < 0 && this.#forgiven > 0) this.#forgiven -= 1
    else if (this.#room < 0) {
      this.connection.violations.push('a transfer beyond the window of the session')
      return this.end({ condition: 'amqp:session:window-violation' })
    }
    const link = this.links.get(fields.handle ?? -1)
    if (link === undefined) {
      if (this.leaving.has(fields.handle ?? -1)) return
      this.connection.violations.push('a transfer for a handle that is not attached')
      return
    }
    if (fields.deliveryId !== undefined && link.isOverdrawn) {
      this.connection.violations.push(`a transfer without credit for ${link.address}`)
      return link.detach({ condition: 'amqp:link:transfer-limit-exceeded' })
    }
    const id = fields.deliveryId ?? this.#deliveryId
    this.#deliveryId = id
    this.#settled = fields.settled ?? this.#settled
    const whole = link.collect(frame)
    if (this.#window === null && this.#room < WINDOW / 2) {
      this.#room = WINDOW
      this.flow()
    }
    if (whole === undefined) return
    const settled = this.#settled
    this.#settled = false
    const outcome = settled ? undefined : options.outcome?.(link.address)
    const isBack = outcome !== undefined && outcome !== null && outcome.type !== 'accepted'
    if (link.address === '/management') answerManagement(this, whole)
    else nodes.take(link.address, whole, settled, !isBack)
    const state = outcome ?? ({ type: 'accepted' } as const)
    if (!settled && outcome !== null) this.say('disposition', { role: true, first: id, settled: true, state })
    if (link.credit < CREDIT / 2 && (options.credit?.(link.address) ?? CREDIT) === CREDIT) link.giveCredit(CREDIT)
  }

  #onDisposition({ role, first = 0, last = first, settled, state }: Fields): void {
    if (role !== true || (settled !== true && state === undefined)) return
    for (const link of this.links.values()) link.onOutcome(first, last, state)
    if (settled !== true) this.say('disposition', { role: false, first, last, settled: true })
  }
}
