import { Socket } from 'node:net'
import type { Message, MessageProperties } from 'amqplib'
import type { PublishFields } from './publish-frames.ts'

/** The parts of an amqplib connection that are led past its streams; it has no public way. Its version is fixed, and `hasKnownInternals` looks before anything is touched. */
export interface AmqplibInternals {
  readonly stream: Socket
  readonly channels: (ChannelEntry | null)[]
  /** Bytes received and not read as frames yet. */
  rest: Buffer
  readonly frameMax: number
  readonly maxFrameSize: number
  sentSinceLastCheck: boolean
  recvSinceLastCheck: boolean
  freshChannel: (...parameters: readonly unknown[]) => number
  sendBytes: (bytes: Uint8Array) => void
  /** Fields and properties are one object. */
  sendMessage: (
    channel: number,
    method: number,
    fields: PublishFields,
    propertiesMethod: number,
    properties: unknown,
    content: Buffer,
  ) => boolean
  /** Takes the next frame from `rest`. */
  readonly recvFrame: () => unknown
  /** Changes while the connection closes. */
  readonly accept: (frame: unknown) => void
  readonly emit: (event: string, ...parameters: readonly unknown[]) => boolean
}

export interface ChannelEntry {
  buffer: unknown
}

/** The parts of an amqplib channel that take deliveries and confirms. */
export interface ChannelInternals {
  /** Its number. */
  readonly ch: number
  /** By consumer tag. */
  readonly consumers: ReadonlyMap<string, unknown>
  /** Hands the message to its consumer. */
  readonly dispatchMessage: (fields: Message['fields'], message: Message) => void
  readonly emit: (event: string, ...parameters: readonly unknown[]) => boolean
}

/** A header frame as amqplib reads it. */
export interface HeaderFrame {
  readonly fields: MessageProperties
}

/** Whether amqplib is built as this driver knows it. */
export function hasKnownInternals(connection: object): connection is AmqplibInternals {
  const { stream, channels, rest, frameMax, freshChannel, sendBytes, sendMessage, recvFrame, accept } =
    connection as Partial<AmqplibInternals>
  return (
    stream instanceof Socket &&
    Array.isArray(channels) &&
    Buffer.isBuffer(rest) &&
    typeof frameMax === 'number' &&
    [freshChannel, sendBytes, sendMessage, recvFrame, accept].every((method) => typeof method === 'function')
  )
}

/** Whether a channel of it is. */
export function hasInternals<C extends object>(channel: C): channel is C & ChannelInternals {
  const { ch, consumers, dispatchMessage } = channel as Partial<ChannelInternals>
  return typeof ch === 'number' && consumers instanceof Map && typeof dispatchMessage === 'function'
}
