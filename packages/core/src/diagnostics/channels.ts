import { channel, type Channel } from 'node:diagnostics_channel'
import type { ComponentState } from '../driver/health.ts'

/** Every diagnostics channel and what it carries; `docs/diagnostics.md` says when. Names are stable, payloads may gain
 *  fields.
 *  They hold no message bodies and no secrets of the library's own; an `error` that the application threw is the
 *  application's. */
export interface DiagnosticEvents {
  /** A connection, listener, publisher or reply path changed state. */
  'oslo-messaging:state': {
    readonly driver: string
    readonly kind: string
    readonly name: string
    readonly state: ComponentState
    readonly previous: ComponentState
    readonly error?: unknown
    readonly attempt: number
    readonly retryInMs?: number
  }
  /** A message was settled without reaching a handler: it cannot be read, is a duplicate, or nobody waits for it. */
  'oslo-messaging:message-dropped': {
    readonly driver: string
    readonly source: string
    readonly reason: 'unreadable' | 'duplicate' | 'late-reply' | 'unknown-priority' | 'expired' | 'revoked'
    readonly error?: unknown
    readonly uniqueId?: string
  }
  /** A message reached a handler a second time, because its id was no longer among those that are held back as
   *  duplicates. */
  'oslo-messaging:duplicate-handled': { readonly driver: string; readonly source: string; readonly uniqueId: string }
  /** A reply could not be delivered and is given up. */
  'oslo-messaging:reply-abandoned': { readonly driver: string; readonly replyTo: string; readonly error?: unknown }
  /** Something failed where nobody waits for it. */
  'oslo-messaging:background-error': { readonly source: string; readonly error: unknown }
  /** A call or cast begins. `id` is the same in the event that ends it. */
  'oslo-messaging:rpc-client:start': {
    readonly id: number
    readonly kind: 'call' | 'cast'
    readonly target: string
    readonly method: string
  }
  /** It has ended: the reply is here, the broker has the cast, or it failed with `error`. */
  'oslo-messaging:rpc-client:end': {
    readonly id: number
    readonly kind: 'call' | 'cast'
    readonly target: string
    readonly method: string
    readonly durationMs: number
    readonly error?: unknown
  }
  /** A worker begins to handle a request. */
  'oslo-messaging:rpc-server:start': { readonly id: number; readonly target: string; readonly method: string }
  /** The endpoint is done, or failed with `error`. */
  'oslo-messaging:rpc-server:end': {
    readonly id: number
    readonly target: string
    readonly method: string
    readonly durationMs: number
    readonly error?: unknown
  }
  /** One copy of a notification is with the broker, or failed with `error`. `topic` ends in the priority. */
  'oslo-messaging:notify:end': {
    readonly topic: string
    readonly priority: string
    readonly eventType: string
    readonly durationMs: number
    readonly error?: unknown
  }
}

// A record, so that the compiler misses none.
const NAMES: Readonly<Record<keyof DiagnosticEvents, true>> = {
  'oslo-messaging:state': true,
  'oslo-messaging:message-dropped': true,
  'oslo-messaging:duplicate-handled': true,
  'oslo-messaging:reply-abandoned': true,
  'oslo-messaging:background-error': true,
  'oslo-messaging:rpc-client:start': true,
  'oslo-messaging:rpc-client:end': true,
  'oslo-messaging:rpc-server:start': true,
  'oslo-messaging:rpc-server:end': true,
  'oslo-messaging:notify:end': true,
}

/** The name of every channel, for whoever subscribes to all. */
export const DIAGNOSTIC_CHANNELS: readonly (keyof DiagnosticEvents)[] = Object.freeze(
  Object.keys(NAMES) as (keyof DiagnosticEvents)[],
)

const channels = new Map<string, Channel>()

/** The channel of that name; subscribe with `node:diagnostics_channel` by the same name. */
function channelOf(name: string): Channel {
  let found = channels.get(name)
  if (found === undefined) {
    found = channel(name)
    channels.set(name, found)
  }
  return found
}

/** Publishes when anyone listens; `payload` is not even built otherwise. */
export function emitDiagnostic<Name extends keyof DiagnosticEvents>(
  name: Name,
  payload: () => DiagnosticEvents[Name],
): void {
  const target = channelOf(name)
  if (target.hasSubscribers) target.publish(payload())
}

/** Asks whether anyone listens to one of two, many times and without looking for their channels again. */
export function watcherOf(one: keyof DiagnosticEvents, other: keyof DiagnosticEvents): () => boolean {
  const [first, second] = [channelOf(one), channelOf(other)]
  return () => first.hasSubscribers || second.hasSubscribers
}

/** Whether anyone listens: for callers that would have to measure or remember something first. */
export function hasDiagnosticSubscribers(name: keyof DiagnosticEvents): boolean {
  return channelOf(name).hasSubscribers
}
