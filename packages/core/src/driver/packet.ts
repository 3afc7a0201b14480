import { TransportDriverError } from '../errors.ts'
import { decodeJson, encodeJson } from '../wire/json.ts'
import type { MessageContext } from './messages.ts'

/** What travels beside a message, for brokers whose messages are bytes and nothing else. */
export interface PacketFacts {
  /** Id of the message, for noticing it twice. */
  readonly uniqueId?: string
  /** Where the reply goes; absent for casts and notifications. */
  readonly replyTo?: string
  /** What the reply is known by. */
  readonly correlationId?: string
  /** Milliseconds the sender wants it for, and when it was sent, milliseconds since 1970 on the sender's clock. */
  readonly expiresInMs?: number
  readonly sentAtMs?: number
  /** Seconds after which a monitored call gives its server up. */
  readonly callMonitorTimeout?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A message with its facts, read from bytes. */
export interface Packet {
  readonly context: MessageContext
  readonly message: Readonly<Record<string, unknown>>
  readonly facts: PacketFacts
}

const VERSION = 1

/** One text for one message and everything beside it. Throws SerializationError for what JSON cannot carry. */
export function packMessage(context: MessageContext, message: object, facts: PacketFacts = {}): string {
  return encodeJson({ v: VERSION, context, message, facts })
}

/** Reads what `packMessage` wrote. Throws TransportDriverError for anything else: report and settle it, and go on.
 *  Facts of the wrong type count as absent, because a peer may have written them. */
export function unpackMessage(text: string): Packet {
  const packet = parse(text)
  if (packet['v'] !== VERSION) throw unreadable(`version ${String(packet['v'])}, not ${VERSION}`)
  const { context, message, facts } = packet
  if (!isRecord(context) || !isRecord(message)) throw unreadable('no context or no message')
  return { context, message, facts: factsOf(isRecord(facts) ? facts : {}) }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = decodeJson(text)
  } catch (cause) {
    throw unreadable('no JSON', cause)
  }
  if (isRecord(value)) return value
  throw unreadable('no object')
}

function factsOf(given: Readonly<Record<string, unknown>>): PacketFacts {
  const facts: Record<string, unknown> = {}
  for (const name of ['uniqueId', 'replyTo', 'correlationId'])
    if (typeof given[name] === 'string') facts[name] = given[name]
  for (const name of ['expiresInMs', 'sentAtMs', 'callMonitorTimeout'])
    if (typeof given[name] === 'number' && Number.isFinite(given[name])) facts[name] = given[name]
  if (isRecord(given['headers'])) {
    const texts = Object.entries(given['headers']).filter(([, value]) => typeof value === 'string')
    facts['headers'] = Object.fromEntries(texts)
  }
  return facts
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unreadable(why: string, cause?: unknown): TransportDriverError {
  return new TransportDriverError(`The message cannot be read: ${why}`, cause === undefined ? {} : { cause })
}
