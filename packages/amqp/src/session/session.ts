import type { FrameWriter } from './frame-writer.ts'
import type { Link, LinkFlow, LinkSession, OutgoingDelivery, OutgoingFrame } from './link.ts'
import {
  type Attach,
  type Begin,
  CODE,
  type Condition,
  type Disposition,
  type FieldList,
  type Flow,
  readAttach,
  readBegin,
  readCondition,
  readDetach,
  readDisposition,
  readFlow,
  readTransfer,
  type Terminus,
  type Transfer,
  writeAttach,
  writeBegin,
  writeDetach,
  writeDisposition,
  writeEnd,
  writeFlow,
} from './performatives.ts'
import { type ReceiverHandlers, ReceiverLink } from './receiver-link.ts'
import { type SenderHandlers, SenderLink } from './sender-link.ts'
import { isOutcome, STATES } from './delivery-state.ts'
import { ahead, serial } from './serial.ts'

/** Transfer frames that the peer may send ahead. What it sends is bounded by the credit of the links; this one is given
 *  back as frames come in, whether or not the messages in them are settled: a handler that never ends takes one place
 *  of its link's credit and nothing of anybody's else. */
const INCOMING_WINDOW = 16_384
/** Ours is never the limit. */
const OUTGOING_WINDOW = 0x7fffffff
/** Links of one session that we can number. */
const HANDLE_MAX = 0xffff

export interface SessionHandlers {
  /** The peer has begun its side. Called once. */
  readonly onOpen: () => void
  /** The peer has ended it, or was told to because of what it did. Called once; not when the connection goes. */
  readonly onEnd: (error: Condition | undefined) => void
}

/** What a link is attached with. */
export interface LinkOptions {
  readonly name: string
  readonly sndSettleMode: number
  readonly source: Terminus
  readonly target: Terminus
  readonly properties?: Readonly<Record<string, unknown>>
  /** What it is attached to outlives it: it is left with a detach that closes nothing. */
  readonly isShared?: boolean
}

/** One session: its links, and the account of what may be transferred in either direction. Every number is kept here
 *  and nowhere else: what the peer allows, what was sent and not settled, what came. Source: AMQP 1.0, part 2.5. */
export class Session implements LinkSession {
  readonly channel: number
  readonly maxPayload: number
  readonly #writer: FrameWriter
  readonly #handlers: SessionHandlers
  readonly #freeHandles: number[] = []
  /** By our number; undefined where the peer has not yet answered a detach. */
  readonly #links = new Map<number, Link>()
  readonly #byName = new Map<string, Link>()
  readonly #byRemoteHandle = new Map<number, SenderLink | ReceiverLink>()
  readonly #unsettled = new Map<number, OutgoingDelivery>()
  #begin: Begin | undefined
  #nextHandle = 0
  readonly #firstId: number
  #nextOutgoingId: number
  #nextDeliveryId: number
  /** Transfers that the peer lets in. */
  #window = 0
  #nextIncomingId = 0
  /** Transfers of the peer until it is told that it may go on. */
  #incoming = INCOMING_WINDOW
  #waiting = new Set<{ onRoom(): void }>()
  /** Frames that have come in. */
  heard = 0
  /** The peer has said something of the session when it was asked to. */
  answersEcho = false
  /** Called when the peer has ended a link or the session, or has answered their end. */
  readonly onEnds: Set<() => unknown> = new Set()
  /** Settled in this turn and not yet written: one range after the other. */
  #settled: { first: number; last: number; readonly state: Buffer }[] = []
  #isEnded = false
  #isRemoteEnded = false
  #isOver = false

  /** `firstId`: number of the first transfer and of the first delivery. */
  constructor(channel: number, writer: FrameWriter, maxPayload: number, handlers: SessionHandlers, firstId = 0) {
    this.channel = channel
    this.#firstId = firstId
    this.#nextOutgoingId = firstId
    this.#nextDeliveryId = firstId
    this.maxPayload = maxPayload
    this.#writer = writer
    this.#handlers = handlers
    this.#write(writeBegin(this.#nextOutgoingId, INCOMING_WINDOW, OUTGOING_WINDOW, HANDLE_MAX))
  }

  get isOpen(): boolean {
    return this.#begin !== undefined && !this.#isEnded && !this.#isRemoteEnded
  }

  /** Both sides have ended it: its channel is free. */
  get isGone(): boolean {
    return this.#isEnded && this.#isRemoteEnded
  }

  /** Links it can have at a time. */
  get capacity(): number {
    return Math.min(this.#begin?.handleMax ?? 0, HANDLE_MAX) + 1
  }

  get hasWindow(): boolean {
    return this.#window > 0 && this.isOpen && !this.#writer.isCongested
  }

  attachSender(options: LinkOptions, handlers: SenderHandlers): SenderLink {
    const handle = this.#takeHandle()
    const link = new SenderLink(this, { ...options, handle }, handlers)
    this.#attach(link, options, { role: false, initialDeliveryCount: 0, maxMessageSize: 0 })
    return link
  }

  attachReceiver(options: LinkOptions, maxMessageSize: number, handlers: ReceiverHandlers): ReceiverLink {
    const handle = this.#takeHandle()
    const link = new ReceiverLink(this, { ...options, handle }, maxMessageSize, handlers)
    this.#attach(link, options, { role: true, initialDeliveryCount: undefined, maxMessageSize })
    return link
  }

  /** Ends the session with everything in it. Idempotent. */
  end(error?: Condition): void {
    if (this.#isEnded) return
    this.#writeSettled()
    this.#isEnded = true
    this.#write(writeEnd(error))
  }

  /** Has the peer say something: one that does not is gone. */
  askForFlow(): void {
    this.#writeFlow({ echo: true })
  }

  /** The network takes more again. */
  onDrained(): void {
    this.#pump()
  }

  // --- for the links -----------------------------------------------------------------------------------------------

  sendAttach(attach: Attach): void {
    this.#write(writeAttach(attach))
  }

  sendDetach(handle: number, closed: boolean): void {
    if (this.#isEnded) return
    // What was settled before it is settled still.
    this.#writeSettled()
    this.#write(writeDetach(handle, closed))
  }

  sendFlow(link?: LinkFlow): void {
    this.#writeFlow({ link })
  }

  begin(delivery: OutgoingDelivery, settled: boolean): number {
    const id = this.#nextDeliveryId
    this.#nextDeliveryId = serial(id + 1)
    if (!settled) this.#unsettled.set(id, delivery)
    return id
  }

  forget(deliveryId: number): void {
    this.#unsettled.delete(deliveryId)
  }

  sendTransfer(handle: number, { deliveryId, settled, more, aborted = false, payload }: OutgoingFrame): void {
    if (this.#isEnded || this.#isRemoteEnded) return
    this.#window -= 1
    this.#nextOutgoingId = serial(this.#nextOutgoingId + 1)
    this.#writer.transfer(this.channel, { handle, deliveryId, settled, more, aborted }, payload)
  }

  onWritten(callback: () => void): void {
    this.#writer.onWritten(callback)
  }

  waitForWindow(link: { onRoom(): void }): void {
    this.#waiting.add(link)
  }

  settle(deliveryId: number, state: Buffer): void {
    if (this.#isEnded || this.#isRemoteEnded) return
    const last = this.#settled.at(-1)
    if (last === undefined) this.#writer.beforeFlush(() => this.#writeSettled())
    if (last !== undefined && last.state === state && serial(last.last + 1) === deliveryId) last.last = deliveryId
    else this.#settled.push({ first: deliveryId, last: deliveryId, state })
  }

  // --- what comes in -----------------------------------------------------------------------------------------------

  /** A performative of this session. Throws when it is none that the specification allows here. */
  take(code: number, fields: FieldList, payload: Buffer): void {
    this.heard += 1
    switch (code) {
      case CODE.begin:
        return this.#onBegin(readBegin(fields))
      case CODE.attach:
        return this.#onAttach(readAttach(fields))
      case CODE.flow:
        return this.#onFlow(readFlow(fields))
      case CODE.transfer:
        return this.#onTransfer(readTransfer(fields), payload)
      case CODE.disposition:
        return this.#onDisposition(readDisposition(fields))
      case CODE.detach:
        return this.#onDetach(readDetach(fields))
      case CODE.end:
        return this.#onEnd(readCondition(fields[0]))
      default:
        throw new RangeError(`the peer sent an unknown performative 0x${code.toString(16)}`)
    }
  }

  #onBegin(begin: Begin): void {
    if (this.#begin !== undefined) throw new RangeError('the peer began a session twice')
    this.#begin = begin
    this.#window = begin.incomingWindow
    this.#nextIncomingId = begin.nextOutgoingId
    if (!this.#isEnded) this.#handlers.onOpen()
  }

  #onAttach(attach: Attach): void {
    const link = this.#byName.get(keyOf(attach.name, !attach.role))
    // After the end nothing that it says matters.
    if (this.#isEnded) return
    if (link === undefined) return this.#violated('amqp:not-implemented', 'No links are attached from the other side')
    if (this.#byRemoteHandle.has(attach.handle))
      return this.#violated('amqp:session:handle-in-use', `Handle ${attach.handle} is in use`)
    this.#byRemoteHandle.set(attach.handle, link as SenderLink | ReceiverLink)
    link.attached(attach)
  }

  #onFlow(flow: Flow): void {
    this.#nextIncomingId = flow.nextOutgoingId
    const seen = flow.nextIncomingId ?? this.#firstId
    this.#window = ahead(this.#nextOutgoingId, serial(seen + flow.incomingWindow))
    // Before anything was transferred a peer has no reason to say this but that it was asked.
    const isUnused = this.#nextOutgoingId === this.#firstId && this.#incoming === INCOMING_WINDOW
    if (flow.handle === undefined) this.answersEcho ||= isUnused
    else this.#byRemoteHandle.get(flow.handle)?.onFlow(flow)
    if (this.#window > 0) this.#pump()
    if (flow.echo && this.isOpen) this.#writeFlow({})
  }

  #onTransfer(transfer: Transfer, payload: Buffer): void {
    this.#nextIncomingId = serial(this.#nextIncomingId + 1)
    this.#incoming -= 1
    if (this.#incoming < INCOMING_WINDOW / 2) this.#writeFlow({})
    const link = this.#byRemoteHandle.get(transfer.handle)
    if (link === undefined) {
      if (!this.#isEnded) this.#violated('amqp:session:unattached-handle', `Handle ${transfer.handle} is not attached`)
    } else if (link instanceof ReceiverLink) link.onTransfer(transfer, payload)
    else this.#violated('amqp:not-allowed', 'A transfer came over a link for sending')
  }

  /** A range is walked by what is unsettled of it, however large it says it is. */
  #onDisposition({ role, first, last, settled, state }: Disposition): void {
    // What the peer says of its own deliveries changes nothing: we settle first.
    if (!role) return
    const size = serial(last - first) + 1
    if (size <= this.#unsettled.size)
      for (let id = first, left = size; left > 0; id = serial(id + 1), left -= 1) this.#settledBy(id, state, settled)
    else for (const id of this.#unsettled.keys()) if (serial(id - first) < size) this.#settledBy(id, state, settled)
  }

  #settledBy(id: number, state: unknown, settled: boolean): void {
    const delivery = this.#unsettled.get(id)
    if (delivery === undefined || !(settled || isOutcome(state))) return
    this.#unsettled.delete(id)
    // A peer that gives the outcome first and settles later keeps the delivery until we settle it.
    if (!settled) this.#write(writeDisposition(false, id, id, STATES.accept))
    delivery.onOutcome(state, settled)
  }

  #onDetach({ handle, closed, error }: { handle: number; closed: boolean; error: Condition | undefined }): void {
    const link = this.#byRemoteHandle.get(handle)
    if (link === undefined) {
      if (!this.#isEnded) this.#violated('amqp:session:unattached-handle', `Handle ${handle} is not attached`)
      return
    }
    this.#byRemoteHandle.delete(handle)
    this.#waiting.delete(link as SenderLink)
    link.detached(closed, error)
    this.#links.delete(link.handle)
    this.#byName.delete(keyOf(link.name, link instanceof ReceiverLink))
    this.#freeHandles.push(link.handle)
    this.#tellEnds()
  }

  #onEnd(error: Condition | undefined): void {
    this.#isRemoteEnded = true
    this.end()
    this.#over(error)
    this.#tellEnds()
  }

  #tellEnds(): void {
    for (const look of this.onEnds) look()
  }

  #violated(condition: string, description: string): void {
    this.end({ condition, description })
    this.#over({ condition, description })
  }

  #over(error: Condition | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#handlers.onEnd(error)
  }

  // --- writing -----------------------------------------------------------------------------------------------------

  #takeHandle(): number {
    if (this.#links.size >= this.capacity) throw new RangeError('The session has no room for another link')
    const free = this.#freeHandles.pop()
    if (free !== undefined) return free
    this.#nextHandle += 1
    return this.#nextHandle - 1
  }

  #attach(
    link: SenderLink | ReceiverLink,
    options: LinkOptions,
    ours: Pick<Attach, 'role' | 'initialDeliveryCount' | 'maxMessageSize'>,
  ): void {
    this.#links.set(link.handle, link)
    this.#byName.set(keyOf(link.name, ours.role), link)
    this.sendAttach({ ...options, ...ours, handle: link.handle, rcvSettleMode: 0 })
  }

  #pump(): void {
    if (this.#waiting.size === 0) return
    const waiting = [...this.#waiting]
    this.#waiting = new Set()
    // Who had no turn is the first one next time.
    const unserved = waiting.filter((link) => !this.hasWindow || (link.onRoom(), false))
    if (unserved.length > 0) this.#waiting = new Set([...unserved, ...this.#waiting])
  }

  #writeFlow({ link, echo = false }: { readonly link?: LinkFlow | undefined; readonly echo?: boolean }): void {
    if (this.#isEnded || this.#isRemoteEnded) return
    this.#incoming = INCOMING_WINDOW
    this.#write(
      writeFlow({
        nextIncomingId: this.#begin === undefined ? undefined : this.#nextIncomingId,
        incomingWindow: INCOMING_WINDOW,
        nextOutgoingId: this.#nextOutgoingId,
        outgoingWindow: OUTGOING_WINDOW,
        handle: link?.handle,
        deliveryCount: link?.deliveryCount,
        linkCredit: link?.linkCredit,
        drain: link?.drain ?? false,
        echo,
      }),
    )
  }

  #writeSettled(): void {
    for (const { first, last, state } of this.#settled.splice(0))
      this.#write(writeDisposition(true, first, last, state))
  }

  #write(performative: Buffer): void {
    this.#writer.frame(this.channel, performative)
  }
}

/** Names are unique for each direction. */
const keyOf = (name: string, isReceiver: boolean): string => `${isReceiver ? 'r' : 's'} ${name}`
