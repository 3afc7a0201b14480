import type { DeliveryState } from '@oslo-messaging/core/driver'

/** One thing that happened to a numbered message, as a history remembers it.
 *  `at`: milliseconds since the history began. `message`: the number, counted from 0 over the whole run; every message
 *  has its own. `place`: where a message was sent to, by any name that is the same for senders and readers (a topic, a
 *  queue). `reader`: all who share one copy of each message (a pool, a consumer group, the servers of a topic);
 *  `member`: one of them. Events of one message come in the order they happened; `stored` may come at the end, when an
 *  outside reader has read. */
export type HistoryEvent =
  | SentEvent
  | ResolvedEvent
  | RejectedEvent
  | StoredEvent
  | HandledEvent
  | SettledEvent
  | RepliedEvent
  | CommittedEvent
  | ReportedEvent
  | WipedEvent
  | DownEvent

interface At {
  readonly at: number
}

interface OfMessage extends At {
  readonly message: number
}

/** The send was called. */
export interface SentEvent extends OfMessage {
  readonly kind: 'sent'
  readonly place: string
  /** Messages with the same key and place were sent one after the other, each when the one before had ended. Absent: no
   *  order is expected. */
  readonly key?: number
  /** When its deadline ends, on the clock of `at`. Absent: never. */
  readonly dueAt?: number
}

/** The send's promise resolved; for a call this is its reply, or the failure that the method raised. */
export interface ResolvedEvent extends OfMessage {
  readonly kind: 'resolved'
}

/** The send's promise rejected, and said so much about the message. */
export interface RejectedEvent extends OfMessage {
  readonly kind: 'rejected'
  readonly delivery: DeliveryState
}

/** A reader that is none of ours found it where the broker keeps it. */
export interface StoredEvent extends OfMessage {
  readonly kind: 'stored'
  readonly place: string
  readonly partition: number
  /** Rises with the order in the partition. */
  readonly position: number
}

/** An endpoint was called with it. */
export interface HandledEvent extends OfMessage {
  readonly kind: 'handled'
  readonly reader: string
  readonly member: string
  /** The delivery was marked as a repetition. */
  readonly redelivered: boolean
}

/** The broker holds it no longer for this reader. */
export interface SettledEvent extends OfMessage {
  readonly kind: 'settled'
  readonly reader: string
}

/** A call got a reply that was made for the message numbered `answer`. */
export interface RepliedEvent extends OfMessage {
  readonly kind: 'replied'
  readonly answer: number
}

/** The broker remembers that the reader is done with everything before `position` of the partition. The last one
 *  counts. */
export interface CommittedEvent extends At {
  readonly kind: 'committed'
  readonly reader: string
  readonly place: string
  readonly partition: number
  readonly position: number
}

/** The library said, by its log or on a diagnostics channel, that so many messages will not reach the reader. */
export interface ReportedEvent extends At {
  readonly kind: 'reported'
  readonly reader: string
  readonly count: number
}

/** Everything of the place is gone, by the hand of an operator: what was sent to it until now is owed to nobody. */
export interface WipedEvent extends At {
  readonly kind: 'wiped'
  readonly place: string
}

/** A node of the broker went down at `at`, in order or not, and was back at `untilMs`. */
export interface DownEvent extends At {
  readonly kind: 'down'
  readonly untilMs: number
}
