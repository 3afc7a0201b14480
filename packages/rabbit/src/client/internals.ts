import { Socket } from 'node:net'
import type { ConfirmChannel, Message, MessageProperties } from 'amqplib'
import { DriverLoadFailure } from '@oslo-messaging/core/driver'
import type { PublishFields } from './publish-frames.ts'

/** Everything this driver touches inside an amqplib connection, beyond what amqplib publishes. The version of amqplib
 *  is fixed, and `connectionInternals` looks at each of these before the connection is used. */
export interface ConnectionInternals {
  readonly stream: Socket
  readonly channels: (ChannelEntry | null)[]
  /** Bytes received and not read as frames yet. */
  rest: Buffer
  readonly frameMax: number
  readonly maxFrameSize: number
  sentSinceLastCheck: boolean
  recvSinceLastCheck: boolean
  freshChannel: (channel: object, ...parameters: readonly unknown[]) => number
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
  /** The connection is over: tells its channels, then whoever listens. Does nothing when it was over already. */
  readonly onSocketError: (error: unknown) => void
}

export interface ChannelEntry {
  buffer: unknown
}

/** The same of a channel. */
export interface ChannelInternals {
  /** Its number. */
  readonly ch: number
  /** By consumer tag. */
  readonly consumers: ReadonlyMap<string, unknown>
  /** Hands the message to its consumer. */
  readonly dispatchMessage: (fields: Message['fields'], message: Message) => void
  readonly emit: (event: string, ...parameters: readonly unknown[]) => boolean
  /** The first delivery tag in `unconfirmed`. */
  readonly lwm: number
  /** Callbacks of publishes without a confirm, in order; null: confirmed out of order, false: nobody asked. */
  unconfirmed: readonly (((error: unknown) => void) | null | false)[]
  /** Sends `channel.close` and takes nothing more; `onClosed` runs when the broker has answered. */
  readonly closeBecause: (reason: string, code: number, onClosed?: () => void) => void
  /** The broker said what it must not: the same, and `error` is emitted after the answer. */
  closeWithError: (id: unknown, reason: string, code: number, error: unknown) => void
}

/** A header frame as amqplib reads it. */
export interface HeaderFrame {
  readonly fields: MessageProperties
}

type Shape<T> = { readonly [Name in keyof T]: (value: unknown) => boolean }

const isFunction = (value: unknown): boolean => typeof value === 'function'
const isNumber = (value: unknown): boolean => typeof value === 'number'
const isBoolean = (value: unknown): boolean => typeof value === 'boolean'

const CONNECTION: Shape<ConnectionInternals> = {
  stream: (value) => value instanceof Socket,
  channels: Array.isArray,
  rest: (value) => Buffer.isBuffer(value),
  frameMax: isNumber,
  maxFrameSize: isNumber,
  sentSinceLastCheck: isBoolean,
  recvSinceLastCheck: isBoolean,
  freshChannel: isFunction,
  sendBytes: isFunction,
  sendMessage: isFunction,
  recvFrame: isFunction,
  accept: isFunction,
  onSocketError: isFunction,
}

const CHANNEL: Shape<ChannelInternals> = {
  ch: isNumber,
  consumers: (value) => value instanceof Map,
  dispatchMessage: isFunction,
  emit: isFunction,
  lwm: isNumber,
  unconfirmed: Array.isArray,
  closeBecause: isFunction,
  closeWithError: isFunction,
}

/** Throws DriverLoadFailure when amqplib is built otherwise than this driver knows it. */
export function connectionInternals(connection: object): ConnectionInternals {
  check(connection, 'Connection', CONNECTION)
  return connection as ConnectionInternals
}

/** Throws DriverLoadFailure when amqplib is built otherwise than this driver knows it. */
export function channelInternals(channel: object): ConfirmChannel & ChannelInternals {
  check(channel, 'Channel', CHANNEL)
  return channel as ConfirmChannel & ChannelInternals
}

function check(found: object, what: string, shape: Readonly<Record<string, (value: unknown) => boolean>>): void {
  const fields = found as Readonly<Record<string, unknown>>
  const strange = Object.entries(shape).filter(([name, fits]) => !fits(fields[name]))
  if (strange.length === 0) return
  throw new DriverLoadFailure(
    'rabbit',
    `The installed amqplib is not the one this driver was made for: ${what}.${strange.map(([name]) => name).join(', ')} is missing or different. Install the version that @oslo-messaging/rabbit names, and nothing that replaces it.`,
  )
}
