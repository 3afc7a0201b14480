import type { Attach, Condition, Terminus } from './performatives.ts'

/** What a link asks of the session it is in. */
export interface LinkSession {
  /** Whether a transfer may be written now: the peer's window is open and the network takes it. */
  readonly hasWindow: boolean
  /** The peer's largest frame, without what a transfer needs of it. */
  readonly maxPayload: number
  sendAttach(attach: Attach): void
  sendDetach(handle: number, closed: boolean): void
  /** About a link, or about the session alone. */
  sendFlow(link?: LinkFlow): void
  /** Writes one frame of a delivery. */
  sendTransfer(handle: number, frame: OutgoingFrame): void
  /** Numbers a delivery, and keeps it until the peer has settled it unless it is settled already. */
  begin(delivery: OutgoingDelivery, settled: boolean): number
  forget(deliveryId: number): void
  /** Calls back when everything written so far has been handed to the socket. */
  onWritten(callback: () => void): void
  /** Has `onRoom` called when the window opens again. */
  waitForWindow(link: { onRoom(): void }): void
  settle(deliveryId: number, state: Buffer): void
}

export interface LinkFlow {
  readonly handle: number
  readonly deliveryCount: number
  readonly linkCredit: number
  readonly drain: boolean
}

export interface OutgoingFrame {
  readonly deliveryId: number
  readonly settled: boolean
  readonly more: boolean
  readonly aborted?: boolean
  readonly payload: Buffer
}

/** Who is told what the peer says of a message. */
export interface OutgoingDelivery {
  onOutcome(state: unknown, settled: boolean): void
}

export interface LinkHandlers {
  /** The peer has attached its side; `target` and `source` say to what. Called once. */
  readonly onOpen: () => void
  /** The peer has detached, or the link was closed from here and the peer has answered. Called once; not when the
   *  session or the connection goes. */
  readonly onClosed: (error: Condition | undefined) => void
}

export interface LinkIdentity {
  readonly name: string
  readonly handle: number
  /** Default: false. */
  readonly isShared?: boolean | undefined
}

/** What is alike in both directions. */
export abstract class Link {
  readonly name: string
  readonly handle: number
  /** What it is attached to outlives it. */
  readonly isShared: boolean
  /** What the peer has attached; undefined until then. */
  remote: Attach | undefined
  protected readonly session: LinkSession
  readonly #handlers: LinkHandlers
  #isDetached = false
  #isRemoteDetached = false

  constructor(session: LinkSession, { name, handle, isShared = false }: LinkIdentity, handlers: LinkHandlers) {
    this.session = session
    this.name = name
    this.handle = handle
    this.isShared = isShared
    this.#handlers = handlers
  }

  get source(): Terminus | null | undefined {
    return this.remote?.source
  }

  get target(): Terminus | null | undefined {
    return this.remote?.target
  }

  /** The peer has detached it: there is nothing left of it. */
  get isGone(): boolean {
    return this.#isRemoteDetached
  }

  /** Both sides have attached, and neither has detached. */
  get isOpen(): boolean {
    return this.remote !== undefined && !this.#isDetached && !this.#isRemoteDetached
  }

  /** Ends it, or only detaches from what outlives its links. Idempotent. */
  leave(): void {
    this.#detach(!this.isShared)
  }

  /** For the session: the peer has attached. */
  attached(remote: Attach): void {
    this.remote = remote
    this.opened(remote)
    if (!this.#isDetached) this.#handlers.onOpen()
  }

  /** For the session: the peer has detached. */
  detached(closed: boolean, error: Condition | undefined): void {
    if (this.#isRemoteDetached) return
    this.#isRemoteDetached = true
    this.gone()
    if (!this.#isDetached) {
      this.#isDetached = true
      this.session.sendDetach(this.handle, closed)
    }
    this.#handlers.onClosed(error)
  }

  #detach(closed: boolean): void {
    if (this.#isDetached) return
    this.#isDetached = true
    this.gone()
    this.session.sendDetach(this.handle, closed)
  }

  protected abstract opened(remote: Attach): void
  /** Nothing is sent or handed out any more. */
  protected abstract gone(): void
}
