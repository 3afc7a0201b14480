import type { Deadline, DeliveryState, OperationPhase, Target, WaitFacts } from '@oslo-messaging/core/driver'
import type { Addressing } from '../topology/addressing.ts'
import type { Service } from '../topology/topic-addresses.ts'
import type { EncodableMessage } from '../wire/encode-message.ts'

/** How far a message has come; kept up to date while it is under way, for whoever times out outside. */
export interface Progress extends WaitFacts {
  phase: OperationPhase
  delivery: DeliveryState
}

export const newProgress = (): Progress => ({ phase: 'connect', delivery: 'not-sent' })

/** Where a message goes: to a target, at the address that the peer which takes it has for it, or to an address that
 *  somebody has named: a client for its replies, an operator for a letter. */
export type Destination = string | { readonly target: Target; readonly service: Service }

/** The address of a destination on a connection. */
export const addressOn = ({ address }: Addressing, to: Destination): string =>
  typeof to === 'string' ? to : address(to.target, to.service)

/** One message to send, with how far to go for it. */
export interface OutgoingMessage {
  readonly to: Destination
  readonly message: Omit<EncodableMessage, 'to'>
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
