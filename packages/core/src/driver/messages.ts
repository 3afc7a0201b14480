import type { FailureFacts } from './failure.ts'

/** What core hands to a driver and takes from it. Values are those of JSON plus `bigint`; a driver turns them into
 *  bytes with `encodeJson`/`decodeJson` (or `wrapEnvelope`/`unwrapEnvelope`) from this door, so that every driver
 *  treats numbers, dates and NaN alike. */

/** A request context: any JSON object. */
export type MessageContext = Readonly<Record<string, unknown>>

/** The inner message of a call or cast. */
export interface RPCRequestMessage {
  readonly method: string
  /** Named arguments, serialized. */
  readonly args: Readonly<Record<string, unknown>>
  /** Absent: the null namespace. */
  readonly namespace?: string
  /** Absent: 1.0. */
  readonly version?: string
}

/** A request as core hands it to a driver. */
export interface OutgoingRequest {
  readonly context: MessageContext
  readonly message: RPCRequestMessage
  /** Trace context and the like: travels in transport headers, never in the message. Peers that do not know them see
   *  nothing. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Exactly one of the two: a value, or the JSON text of a remote exception. */
export type RPCReply =
  | { readonly result: unknown; readonly failure: null }
  | { readonly result: null; readonly failure: string }

/** The message of a notification. */
export interface NotificationMessage {
  /** UUID with dashes. */
  readonly message_id: string
  readonly publisher_id: string | null
  readonly event_type: string
  /** Upper case on the wire. */
  readonly priority: string
  readonly payload: unknown
  /** UTC, `YYYY-MM-DD HH:MM:SS.ffffff`. */
  readonly timestamp: string
}

/** A notification as core hands it to a driver. Headers as with requests. */
export interface OutgoingNotification {
  readonly context: MessageContext
  readonly message: NotificationMessage
  readonly headers?: Readonly<Record<string, string>>
  /** Notifications of one key are to be delivered in the order they were sent, where the broker keeps an order by key.
   *  Absent: none is asked for. */
  readonly orderingKey?: string
}

/** Facts about one delivery that a broker may know. Absent means the broker does not say. */
export interface DeliveryFacts {
  /** The broker has forgotten it already, so it cannot be handed back: a server or listener that stops handles it
   *  first. */
  readonly isSettled?: boolean
  /** The broker has delivered it before. */
  readonly redelivered?: boolean
  /** Deliveries so far, this one not counted. */
  readonly deliveryCount?: number
  /** Attempts at handling it that failed before this delivery, as the headers of `FAILURE_HEADERS` tell. Absent:
   *  none. */
  readonly failedAttempts?: number
  /** Milliseconds after which the sender does not want it any more, as the sender wrote them: the time a call is waited
   *  for. An upper bound, because the time in the queue counts too. */
  readonly expiresInMs?: number
  /** The sender's id for duplicate detection. */
  readonly uniqueId?: string
  /** Trace context as it arrived. */
  readonly headers?: Readonly<Record<string, string>>
}

interface IncomingMessage extends DeliveryFacts {
  readonly context: MessageContext
  /** Aborts when the broker has taken the message away from this listener, so that the handler may stop. Undefined once
   *  it cannot any more. */
  readonly signal?: AbortSignal | undefined
  /** Settles the delivery for good; the broker forgets the message. Idempotent with `requeue`: the first one counts.
   *  Never throws: a delivery whose channel is gone is redelivered by the broker, and the driver reports that
   *  itself. */
  acknowledge(): void
}

/** A request as a driver delivers it. The message may lack anything: core checks it. */
export interface IncomingRequest extends IncomingMessage {
  readonly message: Readonly<Record<string, unknown>>
  /** False for a cast: `reply` and `heartbeat` then do nothing. */
  readonly expectsReply: boolean
  /** Each server of the topic gets a copy of it, under the same `uniqueId`. */
  readonly isFanout?: boolean
  /** The client's monitor timeout in seconds, as it came; null when it asked for none. */
  readonly callMonitorTimeout: number | null
  /** Sends the one reply. Resolves when the broker has it, or when it is given up (the driver reports that: nobody can
   *  act on it here).
   *  Rejects only with SerializationError, before anything was sent, so that core can send a failure instead.
   *  Must not hold a worker while a missing reply queue is waited for. */
  reply(reply: RPCReply): Promise<void>
  /** Sends a sign of life. Resolves true when the client can still be reached; false tells core to stop sending them.
   *  Never rejects. */
  heartbeat(): Promise<boolean>
  /** Hands the request back undone, for a server that stops before a worker took it. */
  requeue(): void
  /** Called once when the method is over, however it ended, and its reply was handed over. For drivers that settle no
   *  earlier than that, when asked to. */
  finished?(): void
}

/** A notification as a driver delivers it. The message may lack anything: core checks it. */
export interface IncomingNotification extends IncomingMessage {
  readonly message: Readonly<Record<string, unknown>>
  /** The priority this delivery was subscribed under, lower case, where the driver knows it. */
  readonly priority?: string
  /** Deliveries that carry the same key are handled one after the other, in the order they came; others may overlap.
   *  Absent: no order is asked for. */
  readonly orderingKey?: string
  /** Hands the notification back, to be delivered again. Only called when the driver declares `requeue`. */
  requeue(): void
  /** Tells the driver that nobody here handles it any more and that it stays unsettled: the listener stops, or the
   *  broker has taken it away. Frees whatever the driver holds for it. Absent: there is nothing to free. */
  leave?(): void
  /** Set when the bytes cannot be read, with what is wrong with them; `message` is empty then. Core reports it and
   *  settles it by the listener's policy: buried, or refused. */
  readonly unreadable?: { readonly error: unknown }
  /** Has it delivered again after `delayMs` at least, with `failedAttempts` raised, here or to another listener of the
   *  same kind, and frees its place in the prefetch.
   *  Resolves when the broker has the copy and the original is settled; rejects when it could not be made, and the
   *  delivery is then as it was.
   *  Absent: core keeps the delivery unsettled and hands it to the endpoints again itself. */
  retryLater?(delayMs: number, failure: FailureFacts): Promise<void>
  /** Moves it to the dead letters of where it came from: body and headers as they were, and those of `failure` with the
   *  origin beside them. Declared by `deadLetters`.
   *  Resolves when the broker has the copy and the original is settled; rejects when it could not be made, and the
   *  delivery is then as it was: core tries again, and pauses meanwhile. */
  bury?(failure: FailureFacts): Promise<void>
  /** Refuses it: it is lost, or what the broker's own policy makes of what is refused. Absent: core acknowledges
   *  instead. */
  discard?(): void
}
