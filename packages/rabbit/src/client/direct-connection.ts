import type { Socket } from 'node:net'
import type { MessageProperties } from 'amqplib'
import type { FrameTarget, IncomingFrames } from './incoming-frames.ts'
import type { ChannelInternals, ConnectionInternals, HeaderFrame } from './internals.ts'
import { DirectChannel, type DirectHost } from './direct-channel.ts'
import { FRAME_HEAD, FRAME_TAIL } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { roomForHead } from './publish-frames.ts'

/** A shorter way between the channels of an amqplib connection and its socket, for what comes thousands of times a
 *  second: messages, their confirms and acknowledgements. amqplib leads every frame through a stream for each channel,
 *  a multiplexer and half a dozen objects. That fairness between channels is worth nothing to this driver, which bounds
 *  what is outstanding itself (DESIGN D5), and it was most of the work of a call. Everything else amqplib reads and
 *  writes as before, in order with the rest. */
export class DirectConnection implements DirectHost, FrameTarget {
  readonly socket: Socket
  readonly writer: FrameWriter
  readonly #connection: ConnectionInternals
  /** By number. */
  readonly #channels: (DirectChannel | undefined)[] = []
  #fresh: object | undefined

  constructor(connection: ConnectionInternals) {
    this.#connection = connection
    this.socket = connection.stream
    this.writer = new FrameWriter(connection.stream)
    this.#leadWrites()
  }

  /** Takes what the socket receives, and nobody else does. Everything that listens to the connection must be there
   *  before. */
  read(incoming: IncomingFrames): void {
    // What amqplib has received is read: the last it got was open-ok.
    this.socket.removeAllListeners('readable')
    // Without somebody who reads, the end of the stream is not told.
    this.socket.resume()
    incoming.open(this)
  }

  get maxFrameSize(): number {
    return this.#connection.maxFrameSize
  }

  /** Opens a channel, and gives it before the broker has answered: whoever listens from now on misses nothing.
   *  Undefined when nothing was sent, as `opened` tells. */
  begin(create: () => Promise<unknown>): { readonly fresh: object | undefined; readonly opened: Promise<unknown> } {
    this.#fresh = undefined
    const opened = create()
    const fresh = this.#fresh
    this.#fresh = undefined
    return { fresh, opened }
  }

  openChannel(channel: ChannelInternals): DirectChannel {
    const direct = new DirectChannel(this, channel)
    this.#channels[channel.ch] = direct
    return direct
  }

  releaseChannel(direct: DirectChannel): void {
    const { number } = direct
    if (this.#channels[number] === direct) this.#channels[number] = undefined
  }

  noteSending(): void {
    this.#connection.sentSinceLastCheck = true
  }

  /** Read by amqplib. */
  readProperties(frame: Buffer): MessageProperties {
    const { fields } = this.#read(frame) as HeaderFrame
    return fields
  }

  #leadWrites(): void {
    const connection = this.#connection
    const { writer } = this
    const leadChannel = (number: number): void => {
      const entry = connection.channels[number]
      if (entry !== null && entry !== undefined) entry.buffer = writer
    }
    // Channel 0 belongs to the connection itself; the others come with their stream, which is replaced.
    leadChannel(0)
    const freshChannel = connection.freshChannel.bind(connection)
    connection.freshChannel = (channel, ...parameters) => {
      const number = freshChannel(channel, ...parameters)
      this.#fresh = channel
      leadChannel(number)
      return number
    }
    // Heartbeats pass the channels by: they have to come after what was written before them.
    connection.sendBytes = (bytes) => {
      this.noteSending()
      writer.write(bytes)
    }
    this.#leadMessages()
    flushBeforeEnd(this.socket, writer)
  }

  /** Below the methods that agents for tracing replace, so that each message goes with the headers they have given
   *  it. */
  #leadMessages(): void {
    const connection = this.#connection
    const sendMessage = connection.sendMessage.bind(connection)
    connection.sendMessage = (number, method, fields, propertiesMethod, properties, content) => {
      const room =
        content.length <= connection.frameMax - FRAME_HEAD - FRAME_TAIL && fields === properties
          ? roomForHead(fields)
          : 0
      if (room === 0) return sendMessage(number, method, fields, propertiesMethod, properties, content)
      this.noteSending()
      this.writer.writeMessage(number, fields, room, content)
      return true
    }
  }

  // --- for what arrives ----------------------------------------------------------------------------------------------

  noteReceiving(): void {
    this.#connection.recvSinceLastCheck = true
  }

  take(bytes: Buffer, start: number, end: number): void {
    const number = bytes.readUInt16BE(start + 1)
    if (this.#channels[number]?.take(bytes, start, end) === true) return
    this.#connection.accept(this.#read(bytes.subarray(start, end)))
  }

  fail(error: unknown): void {
    this.end(error)
    this.socket.destroy()
  }

  /** Tells amqplib that the connection is over, and with it everybody who listens; it may know that already. */
  end(reason: unknown): void {
    this.#connection.onSocketError(reason)
  }

  #read(frame: Buffer): unknown {
    this.#connection.rest = frame
    return this.#connection.recvFrame()
  }
}

/** A connection writes its farewell and ends the socket in one turn: the farewell goes first. */
function flushBeforeEnd(socket: Socket, writer: FrameWriter): void {
  const end = socket.end.bind(socket)
  Reflect.set(socket, 'end', (): Socket => {
    writer.flush()
    return end()
  })
}
