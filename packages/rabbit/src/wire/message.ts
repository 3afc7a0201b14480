import { randomFillSync } from 'node:crypto'
import {
  encodeJson,
  type IncomingNotification,
  type MessageContext,
  type OutgoingNotification,
  type OutgoingRequest,
  readEnvelope,
  type RPCReply,
  SerializationError,
  writeEnvelope,
} from '@oslo-messaging/core/driver'
import type { MessageProperties } from '../client/client.ts'
import { decompress } from './compression.ts'

/** Keys the driver adds to the inner message, in the order of the wire. Source: WIRE 2.1, 2.2. */
export const MSG_ID = '_msg_id'
export const REPLY_Q = '_reply_q'
export const TIMEOUT = '_timeout'
export const UNIQUE_ID = '_unique_id'
export const CONTEXT_PREFIX = '_context_'

type Fields = Readonly<Record<string, unknown>>

/** 32 lower-case hexadecimal digits, as a UUID without dashes. */
export function newId(): string {
  if (poolOffset === pool.length) {
    randomFillSync(pool)
    poolOffset = 0
  }
  poolOffset += ID_BYTES
  return pool.toString('hex', poolOffset - ID_BYTES, poolOffset)
}

// Randomness is fetched for 256 ids at a time: one by one it was a tenth of the work of a call.
const ID_BYTES = 16
const pool = Buffer.alloc(256 * ID_BYTES)
let poolOffset = pool.length

/** What a call adds to its request; a cast adds nothing. */
export interface CallFields {
  readonly msgId: string
  readonly replyQueue: string
  /** The monitor timeout in seconds as given, or null. */
  readonly callMonitorTimeout: number | null
}

/** Gives the memory of a body. */
export type Allocate = (bytes: number) => Buffer

/** The body of a call or cast.
 *  Inner shape: { method, args, namespace?, version?, _msg_id?, _reply_q?, _timeout?, _unique_id, _context_<key>... },
 *  in an envelope 2.0. Throws SerializationError. */
export function encodeRequest(
  request: OutgoingRequest,
  call: CallFields | null,
  uniqueId: string,
  allocate?: Allocate,
): Buffer {
  const { message, context } = request
  const fields: Record<string, unknown> = { method: message.method, args: message.args }
  if (message.namespace !== undefined) fields['namespace'] = message.namespace
  if (message.version !== undefined) fields['version'] = message.version
  if (call !== null) {
    fields[MSG_ID] = call.msgId
    fields[REPLY_Q] = call.replyQueue
    fields[TIMEOUT] = call.callMonitorTimeout
  }
  fields[UNIQUE_ID] = uniqueId
  addContext(fields, context)
  return writeEnvelope(fields, allocate)
}

/** The body of a notification: the message, `_unique_id` and the context; in an envelope for version 2.0, bare for 1.0.
 *  Throws SerializationError. */
export function encodeNotification(
  notification: OutgoingNotification,
  version: '1.0' | '2.0',
  uniqueId: string,
  allocate?: Allocate,
): Buffer {
  const fields: Record<string, unknown> = { ...notification.message }
  fields[UNIQUE_ID] = uniqueId
  addContext(fields, notification.context)
  return version === '2.0' ? writeEnvelope(fields, allocate) : Buffer.from(encodeJson(fields))
}

/** A reply as it goes on the wire, for as many attempts as it takes.
 *  Inner shape: { result, failure, ending, _msg_id, _unique_id }, all five always there, in an envelope 2.0. */
export class EncodedReply {
  readonly #body: Buffer
  #isOnItsWay = false

  /** `body` ends in a unique id, which is written over. */
  constructor(body: Buffer) {
    this.#body = body
  }

  get bytes(): number {
    return this.#body.length
  }

  /** The body for one attempt. Each has an id of its own, and a body of its own from the second on: the one before may
   *  still be on its way. */
  next(): Buffer {
    const body = this.#isOnItsWay ? Buffer.from(this.#body) : this.#body
    this.#isOnItsWay = true
    body.write(newId(), body.length - ID_FROM_END, 'latin1')
    return body
  }
}

const ANY_ID = '0'.repeat(2 * ID_BYTES)
/** What follows the id: the end of its string, of the message, of the message's string and of the envelope. */
const ID_FROM_END = ANY_ID.length + '\\"}"}'.length

/** Throws SerializationError. */
export function encodeReply(reply: RPCReply, msgId: string, allocate?: Allocate): EncodedReply {
  return encodePart(reply, true, msgId, allocate)
}

/** A sign of life. Source: WIRE 2.3. */
export function encodeHeartbeat(msgId: string): EncodedReply {
  return encodePart(NOTHING, false, msgId)
}

const NOTHING: RPCReply = Object.freeze({ result: null, failure: null })

function encodePart({ result, failure }: RPCReply, ending: boolean, msgId: string, allocate?: Allocate): EncodedReply {
  const fields = { result: result ?? null, failure, ending, [MSG_ID]: msgId, [UNIQUE_ID]: ANY_ID }
  return new EncodedReply(writeEnvelope(fields, allocate))
}

/** The message inside a delivery. Throws SerializationError for whatever a Python consumer would reject, and for a
 *  compressed body of more than `mostBytes`. Source: WIRE 6.6. */
export function decodeBody(properties: MessageProperties, body: Buffer, mostBytes: number): Fields {
  const { contentType, headers } = properties
  if (contentType !== 'application/json')
    throw new SerializationError(`Content type ${contentType ?? '(none)'} is not application/json`)
  return readEnvelope(decompress(headers, body, mostBytes))
}

/** A request taken apart. `message` keeps whatever is neither the driver's nor the context's. */
export interface DecodedRequest {
  readonly message: Fields
  readonly context: MessageContext
  readonly msgId: string | null
  readonly replyQueue: string | null
  /** As it came, when it is a number or a numeric text. */
  readonly callMonitorTimeout: number | null
  readonly uniqueId: string | null
}

/** Takes the driver's keys and the context out of a request. The context gets `client_timeout`, as Python's endpoints
 *  see it. */
export function splitRequest(fields: Fields): DecodedRequest {
  const message: Record<string, unknown> = {}
  const context: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) {
    if (key.startsWith(CONTEXT_PREFIX)) define(context, key.slice(CONTEXT_PREFIX.length), fields[key])
    else if (!OWN_KEYS.has(key)) define(message, key, fields[key])
  }
  const timeout = fields[TIMEOUT] ?? null
  context['client_timeout'] = timeout
  return {
    message,
    context,
    msgId: textOrNull(fields[MSG_ID]),
    replyQueue: textOrNull(fields[REPLY_Q]),
    callMonitorTimeout: timeout === null || !Number.isFinite(Number(timeout)) ? null : Number(timeout),
    uniqueId: textOrNull(fields[UNIQUE_ID]),
  }
}

/** Sets a key, and only that: one named __proto__ stays a key. */
function define(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  else record[key] = value
}

const OWN_KEYS: ReadonlySet<string> = new Set([MSG_ID, REPLY_Q, TIMEOUT, UNIQUE_ID])

/** A notification taken apart, like a request. */
export function splitNotification(
  fields: Fields,
): Pick<IncomingNotification, 'message' | 'context'> & { readonly uniqueId: string | null } {
  const { message, context, uniqueId } = splitRequest(fields)
  return { message, context, uniqueId }
}

/** One message from the reply queue. A reply may come in parts: a value with `ending` false, then an empty end. */
export interface DecodedReply {
  readonly msgId: string | null
  readonly result: unknown
  readonly failure: string | null
  readonly ending: boolean
}

export function splitReply(fields: Fields): DecodedReply {
  const { failure } = fields
  return {
    msgId: textOrNull(fields[MSG_ID]),
    result: fields['result'] ?? null,
    failure: isTruthy(failure) ? (typeof failure === 'string' ? failure : encodeJson(failure)) : null,
    ending: isTruthy(fields['ending']),
  }
}

/** What Python's `if value` says of a JSON value. */
function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

function addContext(fields: Record<string, unknown>, context: MessageContext): void {
  for (const key of Object.keys(context)) fields[CONTEXT_PREFIX + key] = context[key]
}

function textOrNull(value: unknown): string | null {
  if (typeof value === 'string') return value
  return null
}
