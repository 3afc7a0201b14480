import type { ConsumeMessageFields, MessageProperties } from 'amqplib'
import type { ChannelInternals } from './internals.ts'
import { BODY_FRAME, FRAME_HEAD, FRAME_TAIL, HEADER_FRAME, METHOD_FRAME } from './frame-reader.ts'
import type { FrameWriter } from './frame-writer.ts'

/** What a direct channel needs of its connection. */
export interface DirectHost {
  readonly writer: Pick<FrameWriter, 'writeTagged'>
  /** Something is written: no heartbeat is due. */
  noteSending(): void
  /** The properties in a header frame. */
  readProperties(frame: Buffer): MessageProperties
  releaseChannel(direct: DirectChannel): void
}

/** What it needs of amqplib's channel. */
type DirectChannelInternals = Pick<
  ChannelInternals,
  'ch' | 'consumers' | 'dispatchMessage' | 'emit' | 'closeWithError' | 'lwm' | 'unconfirmed'
>

/** Methods by class and number. */
const DELIVER = 0x3c_003c
const ACK = 0x3c_0050
const NACK = 0x3c_0078

const INTERNAL_ERROR = 541
const PRECONDITION_FAILED = 406

/** A message of which the body is still to come. */
interface Arriving {
  readonly fields: ConsumeMessageFields
  properties: MessageProperties | undefined
  /** Bytes of the body. */
  missing: number
  parts: Buffer[] | undefined
}

/** The channel's part of a direct connection: reads deliveries and confirms, writes acknowledgements. */
export class DirectChannel {
  readonly number: number
  readonly #connection: DirectHost
  readonly #channel: DirectChannelInternals
  readonly #ackFrame: Buffer
  #arriving: Arriving | undefined
  /** The last properties that were read; most messages of a queue have the same. */
  #lastHeader: { readonly bytes: Buffer; readonly properties: MessageProperties } | undefined

  constructor(connection: DirectHost, channel: DirectChannelInternals) {
    this.#connection = connection
    this.#channel = channel
    this.number = channel.ch
    this.#ackFrame = ackFrame(channel.ch)
  }

  release(): void {
    this.#connection.releaseChannel(this)
  }

  acknowledge(deliveryTag: number, multiple: boolean): void {
    this.#connection.noteSending()
    this.#connection.writer.writeTagged(this.#ackFrame, ACK_TAG_AT, deliveryTag, multiple ? 1 : 0)
  }

  /** False: the frame is amqplib's. */
  take(bytes: Buffer, start: number, end: number): boolean {
    switch (bytes[start]) {
      case METHOD_FRAME:
        return this.#takeMethod(bytes, start + FRAME_HEAD)
      case HEADER_FRAME:
        return this.#arriving !== undefined && this.#takeHeader(this.#arriving, bytes, start, end)
      case BODY_FRAME:
        return this.#arriving !== undefined && this.#takeBody(this.#arriving, bytes, start, end)
      default:
        return false
    }
  }

  #takeMethod(bytes: Buffer, at: number): boolean {
    switch (bytes.readUInt32BE(at)) {
      case DELIVER:
        return this.#takeDeliver(bytes, at + 4)
      case ACK:
        return this.#takeConfirm('ack', readTag(bytes, at + 4), bytes[at + 12] === 1)
      case NACK:
        return this.#takeConfirm('nack', readTag(bytes, at + 4), ((bytes[at + 12] ?? 0) & 1) === 1)
      default:
        return false
    }
  }

  #takeConfirm(event: 'ack' | 'nack', deliveryTag: number, multiple: boolean): true {
    const { lwm, unconfirmed } = this.#channel
    // amqplib would lose count: every later confirm would be taken for that of another message, or of none.
    if (deliveryTag >= lwm + unconfirmed.length) {
      const error = new Error(`The broker confirms message ${deliveryTag}, which was not published`)
      this.#channel.closeWithError(undefined, 'Unknown delivery tag', PRECONDITION_FAILED, error)
    } else if (deliveryTag >= lwm) this.#channel.emit(event, { deliveryTag, multiple })
    return true
  }

  /** Layout: consumer tag, delivery tag u64, redelivered u8, exchange, routing key; the texts with their length in a
   *  byte before them. */
  #takeDeliver(bytes: Buffer, at: number): boolean {
    const tagAt = at + 1 + (bytes[at] ?? 0)
    const consumerTag = bytes.toString('latin1', at + 1, tagAt)
    if (!this.#channel.consumers.has(consumerTag)) return false
    const exchangeAt = tagAt + 9
    const keyAt = exchangeAt + 1 + (bytes[exchangeAt] ?? 0)
    this.#arriving = {
      fields: {
        consumerTag,
        deliveryTag: readTag(bytes, tagAt),
        redelivered: bytes[tagAt + 8] === 1,
        exchange: bytes.toString('utf8', exchangeAt + 1, keyAt),
        routingKey: bytes.toString('utf8', keyAt + 1, keyAt + 1 + (bytes[keyAt] ?? 0)),
      },
      properties: undefined,
      missing: 0,
      parts: undefined,
    }
    return true
  }

  /** Layout: class u16, weight u16, body size u64, properties. */
  #takeHeader(arriving: Arriving, bytes: Buffer, start: number, end: number): boolean {
    arriving.properties = this.#propertiesOf(bytes, start, end)
    arriving.missing = readTag(bytes, start + FRAME_HEAD + 4)
    if (arriving.missing === 0) this.#finish(arriving, EMPTY)
    return true
  }

  #takeBody(arriving: Arriving, bytes: Buffer, start: number, end: number): boolean {
    const part = bytes.subarray(start + FRAME_HEAD, end - FRAME_TAIL)
    arriving.missing -= part.length
    if (arriving.missing < 0) throw new Error('More content than announced')
    if (arriving.parts !== undefined) arriving.parts.push(part)
    else if (arriving.missing > 0) arriving.parts = [part]
    if (arriving.missing === 0)
      this.#finish(arriving, arriving.parts === undefined ? part : Buffer.concat(arriving.parts))
    return true
  }

  #finish(arriving: Arriving, body: Buffer): void {
    this.#arriving = undefined
    const { fields, properties } = arriving
    if (properties === undefined) throw new Error('A body before its header')
    try {
      // The way amqplib itself goes: agents for tracing stand between it and the consumer.
      this.#channel.dispatchMessage(fields, { fields, properties, content: body })
    } catch (error) {
      // Whose handler throws loses its channel, and nobody else's: so does amqplib.
      this.#channel.closeWithError(undefined, 'Error while processing message', INTERNAL_ERROR, error)
    }
  }

  #propertiesOf(bytes: Buffer, start: number, end: number): MessageProperties {
    const from = start + FRAME_HEAD + SIZE_BYTES
    const length = end - from
    const last = this.#lastHeader
    if (last !== undefined && isSame(last.bytes, bytes, from, length)) return last.properties
    const properties = Object.freeze(this.#connection.readProperties(bytes.subarray(start, end)))
    if (properties.headers !== undefined) Object.freeze(properties.headers)
    this.#lastHeader = { bytes: Buffer.from(bytes.subarray(from, end)), properties }
    return properties
  }
}

/** Class, weight and body size: what a header frame has before its properties. */
const SIZE_BYTES = 12
/** Where the delivery tag is in the frame of an acknowledgement. */
const ACK_TAG_AT = 11
const EMPTY = Buffer.alloc(0)

/** Head, class and method, delivery tag u64, multiple u8. */
function ackFrame(channel: number): Buffer {
  const frame = Buffer.alloc(ACK_TAG_AT + 9 + FRAME_TAIL)
  frame[0] = METHOD_FRAME
  frame.writeUInt16BE(channel, 1)
  frame.writeUInt32BE(frame.length - FRAME_HEAD - FRAME_TAIL, 3)
  frame.writeUInt32BE(ACK, FRAME_HEAD)
  frame[frame.length - 1] = 0xce
  return frame
}

function readTag(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}

/** For a few dozen bytes a loop is quicker than a call into the engine. */
function isSame(known: Buffer, bytes: Buffer, from: number, length: number): boolean {
  if (known.length !== length) return false
  for (let index = 0; index < length; index += 1) if (known[index] !== bytes[from + index]) return false
  return true
}
