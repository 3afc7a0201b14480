import {
  AuthenticationError,
  MessageDeliveryFailure,
  MessageUndeliverable,
  type MessagingError,
  SerializationError,
} from '@oslo-messaging/core/driver'
import type { PublishOutcome } from './exchange-channel.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'
import type { Progress, OutgoingMessage } from './outgoing-message.ts'

/** A failure before anything was sent, which another attempt may not meet. Never leaves the publisher. */
export class NotSent extends Error {
  readonly reason: MessagingError
  constructor(reason: MessagingError) {
    super(reason.message, { cause: reason })
    this.reason = reason
  }
}

export function spent(
  attempts: number,
  cause: MessagingError,
  elapsedMs: number,
  progress: Progress,
): MessageDeliveryFailure {
  const { retryable, phase = progress.phase, delivery = progress.delivery } = cause
  const text = `Not delivered after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${cause.message}`
  return new MessageDeliveryFailure(text, { attempts, elapsedMs, cause, retryable, phase, delivery })
}

/** Whether sending again cannot make a second copy, or only one that receivers recognise. */
export function mayRepeat(outcome: PublishOutcome, { repeatUnknown, requirement }: OutgoingMessage): boolean {
  if (outcome.kind === 'nacked') return true
  if (outcome.kind !== 'unknown') return false
  if (repeatUnknown) return true
  // The exchange was gone, and with it every queue this message could have reached; only companions of the same moment are in doubt.
  return brokerCodeOf(outcome.error) === 404 && (outcome.alone || requirement?.exchange?.type === 'fanout')
}

export function outcomeError(outcome: PublishOutcome, { exchange, routingKey }: OutgoingMessage): MessagingError {
  switch (outcome.kind) {
    case 'returned':
      return new MessageUndeliverable(
        `No queue takes messages for exchange '${exchange}', routing key '${routingKey}'`,
        {
          exchange,
          routingKey,
          phase: 'confirm',
        },
      )
    case 'nacked':
      return new MessageDeliveryFailure('The broker refused the message', {
        phase: 'confirm',
        delivery: 'not-sent',
        retryable: true,
      })
    case 'unsendable':
      return new SerializationError(
        `No AMQP frame can carry the message for exchange '${exchange}', routing key '${routingKey}': ${String(outcome.error)}`,
        { phase: 'publish', delivery: 'not-sent', cause: outcome.error },
      )
    default: {
      const cause = outcome.kind === 'unknown' ? mapError(outcome.error) : undefined
      // Nothing else was under way on the channel: it is this message that was refused.
      if (outcome.kind === 'unknown' && outcome.alone && cause instanceof AuthenticationError)
        return mapError(outcome.error, { phase: 'confirm', delivery: 'not-sent' })
      return new MessageDeliveryFailure(
        `The connection was lost before the broker confirmed the message: ${cause?.message ?? ''}`,
        { phase: 'confirm', delivery: 'unknown', retryable: true, cause },
      )
    }
  }
}
