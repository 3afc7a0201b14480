import type { FrameWriter } from './frame-writer.ts'
import { CODE, type FieldList, readBegin } from './performatives.ts'
import { Session, type SessionHandlers } from './session.ts'

/** What a transfer needs of a frame beside its payload. */
const TRANSFER_BYTES = 64

/** What the peer said when the connection opened. */
export interface ChannelLimits {
  /** The largest number of a channel. */
  readonly channelMax: number
  /** Bytes of a frame. */
  readonly maxFrameSize: number
}

/** The sessions of a connection. */
export class Channels {
  readonly #writer: FrameWriter
  readonly #limits: ChannelLimits
  readonly #sessions = new Map<number, Session>()
  readonly #byRemoteChannel = new Map<number, Session>()

  constructor(writer: FrameWriter, limits: ChannelLimits) {
    this.#writer = writer
    this.#limits = limits
  }

  /** Sessions that can still be begun. */
  get room(): number {
    return this.#limits.channelMax + 1 - this.#sessions.size
  }

  /** Begins a session; only when there is room. */
  begin(handlers: SessionHandlers): Session {
    let channel = 0
    while (this.#sessions.has(channel)) channel += 1
    const session = new Session(channel, this.#writer, this.#limits.maxFrameSize - TRANSFER_BYTES, handlers)
    this.#sessions.set(channel, session)
    return session
  }

  /** A performative of a session. Throws when it cannot be read or belongs to none. */
  take(channel: number, code: number, fields: FieldList, payload: Buffer): void {
    if (code === CODE.begin) this.#onBegin(channel, fields)
    const session = this.#byRemoteChannel.get(channel)
    if (session === undefined) throw new RangeError(`the peer used channel ${channel}, which is not open`)
    session.take(code, fields, payload)
    if (!session.isGone) return
    this.#byRemoteChannel.delete(channel)
    this.#sessions.delete(session.channel)
  }

  /** The network takes more again. */
  onDrained(): void {
    for (const session of this.#sessions.values()) session.onDrained()
  }

  #onBegin(channel: number, fields: FieldList): void {
    const { remoteChannel } = readBegin(fields)
    const session = remoteChannel === undefined ? undefined : this.#sessions.get(remoteChannel)
    if (session === undefined) throw new RangeError('the peer began a session that nobody asked for')
    this.#byRemoteChannel.set(channel, session)
  }
}
