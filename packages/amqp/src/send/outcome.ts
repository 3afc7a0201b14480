import { type DeliveryState, TransportDriverError } from '@oslo-messaging/core/driver'
import type { Outcome } from '../session/delivery-state.ts'
import type { OutgoingMessage } from './outgoing-message.ts'

/** Why one attempt to send came to nothing. */
export interface Failure {
  readonly isFinal: boolean
  /** The peer had it and gave it back. */
  readonly isHandedBack?: boolean
  /** Our connection went, which says nothing of the address. */
  readonly isConnectionLoss?: boolean
  readonly text: string
  readonly cause?: unknown
  /** Default: not-sent. */
  readonly delivery?: DeliveryState
}

/** Said of one queue, and not of the message: it is full, or has no leader at the moment. */
const OF_A_QUEUE = new Set<string | undefined>(['amqp:resource-limit-exceeded', 'amqp:precondition-failed'])

/** What an outcome means for the message (WIRE 7.5). Undefined: the peer has it. */
export function failureOf(outcome: Outcome, { preSettled, progress }: OutgoingMessage): Failure | undefined {
  switch (outcome.type) {
    case 'accepted':
      progress.phase = 'reply'
      progress.delivery = preSettled ? 'unknown' : 'confirmed'
      return undefined
    case 'released':
      return {
        isFinal: false,
        isHandedBack: true,
        text: 'The peer released it: nobody takes messages of this address now',
      }
    case 'modified':
      return outcome.deliveryFailed || outcome.undeliverableHere
        ? { isFinal: true, text: 'The peer says that it cannot deliver it' }
        : { isFinal: false, isHandedBack: true, text: 'The peer handed it back' }
    case 'unknown':
      return { isFinal: true, text: 'The peer has settled it without saying what became of it', delivery: 'unknown' }
    default:
      return {
        isFinal: true,
        text: `The peer rejected it: ${[outcome.condition, outcome.description].filter(Boolean).join(': ')}`,
        cause: new TransportDriverError(outcome.description ?? 'rejected', {
          retryable: false,
          brokerCode: outcome.condition,
        }),
        // One of several queues refused it, or nobody says why: RabbitMQ names no queue before 4.3, and another may
        // have it.
        ...(outcome.condition === undefined || OF_A_QUEUE.has(outcome.condition) ? { delivery: 'unknown' } : {}),
      }
  }
}
