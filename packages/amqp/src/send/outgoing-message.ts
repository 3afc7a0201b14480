import type { Deadline, DeliveryState, OperationPhase, WaitFacts } from '@oslo-messaging/core/driver'
import type { OutgoingMessage } from '../wire/encode-message.ts'

/** How far a message has come; kept up to date while it is under way, for whoever times out outside. */
export interface Progress extends WaitFacts {
  phase: OperationPhase
  delivery: DeliveryState
}

export const newProgress = (): Progress => ({ phase: 'connect', delivery: 'not-sent' })

/** One message to send, with how far to go for it. */
export interface Shipment {
  readonly address: string
  readonly message: OutgoingMessage
  /** Size of the body. */
  readonly bytes: number
  readonly deadline: Deadline
  /** Sent settled: done when it was written, and nobody learns of a loss. */
  readonly preSettled: boolean
  /** Attempts after the first; null: until the deadline. */
  readonly retries: number | null
  /** Attempts to connect after the first; null: until the deadline. */
  readonly connectRetries: number | null
  readonly progress: Progress
  /** False once nobody wants it sent any more. Default: it is always wanted. */
  readonly isWanted?: () => boolean
}
