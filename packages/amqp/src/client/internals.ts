import type { Socket } from 'node:net'
import { TransportDriverError } from '@oslo-messaging/core/driver'
import type { Connection } from './rhea.ts'

/** Everything this driver reaches inside rhea, which has no public means for it: rhea connects, speaks TLS and SASL,
 *  opens and closes the connection and keeps it alive; all that lies between the open and the close is read and written
 *  here. Each name is looked at before anything is touched, so that another rhea is refused by name instead of
 *  misbehaving. */

/** What rhea knows of the peer's open: its own names. */
export interface OpenFields {
  readonly container_id: string
  readonly max_frame_size: number
  readonly channel_max: number
  readonly idle_time_out: number | undefined
  readonly properties: Readonly<Record<string, unknown>>
}

export interface CloseFields {
  readonly error: { readonly condition: string; readonly description: string | undefined } | undefined
}

interface Transport {
  /** Returns how many of the bytes it has used. */
  read(bytes: Buffer): number
}
interface SaslTransport extends Transport {
  readonly transport: { readonly read_complete: boolean; readonly header_received: unknown }
}

interface ConnectionInternals {
  readonly socket: Socket
  socket_ready: boolean
  heartbeat_in: NodeJS.Timeout | undefined
  heartbeat_out: NodeJS.Timeout | undefined
  idle: () => void
  readonly remote: { readonly open?: OpenFields }
  readonly amqp_transport: Transport
  readonly sasl_transport: SaslTransport | undefined
  on_open(frame: { readonly performative: OpenFields }): void
  on_close(frame: { readonly performative: CloseFields }): void
}

/** Each name, and what it has to be. What follows `?.` is only there with a SASL layer; a timer is no value yet. */
const NAMES: Readonly<Record<string, string>> = {
  'socket.write': 'function',
  'socket.destroy': 'function',
  socket_ready: 'boolean',
  remote: 'object',
  idle: 'function',
  heartbeat_in: 'undefined',
  heartbeat_out: 'undefined',
  'amqp_transport.read': 'function',
  'sasl_transport?.read': 'function',
  'sasl_transport?.transport.read_complete': 'boolean',
  on_open: 'function',
  on_close: 'function',
}

/** Rejects a rhea that is built otherwise. Throws TransportDriverError (not retryable) that names what is missing. */
export function checkInternals(connection: object): void {
  for (const [name, type] of Object.entries(NAMES)) {
    const found = lookUp(connection, name)
    if (found === NO_SASL || (found !== MISSING && typeof found === type)) continue
    throw new TransportDriverError(
      `rhea's connection has no ${name} as this driver knows it; install the version of rhea that its package.json names`,
      { retryable: false, phase: 'connect', delivery: 'not-sent' },
    )
  }
}

const NO_SASL = Symbol('no SASL layer')
const MISSING = Symbol('missing')

function lookUp(from: object, path: string): unknown {
  let found: unknown = from
  for (const part of path.split('.')) {
    if (typeof found !== 'object' || found === null) return MISSING
    const name = part.replace('?', '')
    if (!(name in found)) return MISSING
    found = Reflect.get(found, name) as unknown
    if (part.endsWith('?') && found === undefined) return NO_SASL
  }
  return found
}

const internalsOf = (connection: Connection): ConnectionInternals => connection as Connection & ConnectionInternals

/** Calls back when the peer has been silent for longer than it may. rhea itself would end the socket, wait a second for
 *  an answer and only then tell of it: what is written meanwhile goes nowhere. */
export function onIdle(connection: Connection, callback: () => void): void {
  internalsOf(connection).idle = callback
}

/** Largest frame of the SASL layer that anything reasonable sends; the specification allows 512. */
const MAX_SASL_FRAME = 8 * 1024

/** Reads everything that comes after the SASL layer with `read`, and checks what comes in it. An error that `read`
 *  throws ends the connection. */
export function takeOverReading(
  connection: Connection,
  read: (bytes: Buffer) => void,
  checkSaslFrame: (frame: Buffer) => { readonly isLast: boolean },
): void {
  const { amqp_transport: amqp, sasl_transport: sasl } = internalsOf(connection)
  amqp.read = (bytes) => {
    read(bytes)
    return bytes.length
  }
  if (sasl === undefined) return
  const readSasl = sasl.read.bind(sasl)
  sasl.read = (bytes) => {
    if (sasl.transport.read_complete) return amqp.read(bytes)
    checkSasl(bytes, sasl.transport.header_received === undefined ? 8 : 0, checkSaslFrame)
    const used = readSasl(bytes)
    // What follows the outcome in the same read is no SASL any more.
    return sasl.transport.read_complete && used < bytes.length ? used + amqp.read(bytes.subarray(used)) : used
  }
}

/** rhea waits for as many bytes as a frame says it has, and takes memory for what is in it before it looks. */
function checkSasl(bytes: Buffer, from: number, check: (frame: Buffer) => { readonly isLast: boolean }): void {
  for (let at = from; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at)
    if (size < 8 || size > MAX_SASL_FRAME || bytes[at + 5] !== 1)
      throw new RangeError('what the peer sent is no SASL frame of AMQP 1.0')
    // What follows the last one is of another protocol.
    if (at + size > bytes.length || check(bytes.subarray(at, at + size)).isLast) return
    at += size
  }
}

/** Tells rhea that the peer has opened. */
export function peerOpened(connection: Connection, open: OpenFields): void {
  internalsOf(connection).on_open({ performative: open })
}

/** Tells rhea that the peer has closed. */
export function peerClosed(connection: Connection, close: CloseFields): void {
  internalsOf(connection).on_close({ performative: close })
}

/** What the peer said when it opened; undefined before. */
export const openOf = (connection: Connection): OpenFields | undefined => internalsOf(connection).remote.open

/** The socket under the connection, TLS included. */
export const socketOf = (connection: Connection): Socket => internalsOf(connection).socket

/** Cuts a connection at once and for good. rhea ends a socket politely, which a frozen peer never answers, and its
 *  heartbeat would go on in a dead connection. */
export function destroyConnection(connection: Connection): void {
  const internals = internalsOf(connection)
  const stopTimers = (): void => {
    clearTimeout(internals.heartbeat_in)
    clearTimeout(internals.heartbeat_out)
  }
  stopTimers()
  // rhea starts its idle timer at the end of each read, that of the peer's close too, and it would keep the process
  // alive.
  internals.socket.once('close', stopTimers)
  // Nothing is written, and so no timer is started, from here on.
  internals.socket_ready = false
  internals.socket.removeAllListeners('data')
  internals.socket.destroy()
}
