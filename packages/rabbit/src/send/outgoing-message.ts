import type { Deadline, DeliveryState, MessagingError, OperationPhase } from '@oslo-messaging/core/driver'
import type { CompressedBody } from '../wire/compression.ts'
import type { OwnQueueRequirement, Requirement } from '../topology/declarations.ts'

/** One message to publish, with how far to go for it. */
export interface OutgoingMessage {
  /** `''` for the default exchange. */
  readonly exchange: string
  readonly routingKey: string
  /** Null for the default exchange. */
  readonly requirement: Requirement | OwnQueueRequirement | null
  /** The broker gives it back when no queue takes it. */
  readonly mandatory: boolean
  /** What no queue takes is not worth an error where this stands: it counts as sent, `progress` says what became of it,
   *  and this is called. */
  readonly onDropped?: (() => void) | undefined
  /** Milliseconds as a decimal string. */
  readonly expiration: string | undefined
  /** Called when it is sent, or has to wait for that. Throws SerializationError. */
  readonly encode: () => CompressedBody
  readonly deadline: Deadline
  /** Attempts after the first; null: no limit but the deadline. */
  readonly retries: number | null
  /** Send again even when the broker may have it: receivers drop the second copy by its `_unique_id`. */
  readonly repeatUnknown: boolean
  /** Kept up to date while it is under way, for whoever times out outside. */
  readonly progress: Progress
}

/** How far a message has come. */
export interface Progress {
  phase: OperationPhase
  delivery: DeliveryState
  /** Why the last attempt failed; undefined when none has. */
  lastFailure?: MessagingError | undefined
  /** An earlier attempt may have reached the broker: a later one that did not says nothing of it. */
  maybeSent?: boolean
  /** Completes "no ... within 300 ms"; absent: named by the phase. */
  waitingFor?: string
}

export function newProgress(): Progress {
  return { phase: 'connect', delivery: 'not-sent' }
}

export interface Failure {
  readonly error: unknown
}
