import {
  MessageDeliveryFailure,
  MessageUndeliverable,
  type MessagingError,
  MessagingTimeout,
  SerializationError,
} from '@oslo-messaging/core/driver'
import type { PublishOutcome } from './exchange-channel.ts'
import { NO_ANSWER } from '../client/client.ts'
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

/** A timeout of the message with why its last attempt failed, if one has; other errors as they are. */
export function withLastFailure(error: unknown, { lastFailure }: Progress): unknown {
  if (lastFailure === undefined || !(error instanceof MessagingTimeout) || error.cause !== undefined) return error
  const { phase, delivery, timeoutMs } = error
  return new MessagingTimeout(`${error.message}: ${lastFailure.message}`, {
    phase,
    delivery,
    timeoutMs,
    cause: lastFailure,
  })
}

/** Whether sending again cannot make a second copy, or only one that receivers recognise. */
export function mayRepeat(outcome: PublishOutcome, { repeatUnknown, requirement }: OutgoingMessage): boolean {
  if (outcome.kind === 'nacked' || outcome.kind === 'unsent') return true
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
    case 'refused':
      return mapError(outcome.error, { phase: 'confirm', delivery: 'not-sent' })
    case 'unsent':
      return new MessageDeliveryFailure(`${CLOSED_BY_ANOTHER} took this one`, {
        phase: 'confirm',
        delivery: 'not-sent',
        retryable: true,
      })
    case 'unknown': {
      const facts = { phase: 'confirm', delivery: 'unknown', retryable: true } as const
      // The reason is that of another message, which gets it.
      if (outcome.because === 'other')
        return new MessageDeliveryFailure(`${CLOSED_BY_ANOTHER} confirmed this one`, facts)
      if (outcome.because === 'suspect')
        return new MessageDeliveryFailure(
          'The broker closed the channel because of one of several messages before it confirmed them',
          facts,
        )
      const cause = mapError(outcome.error)
      const what =
        brokerCodeOf(outcome.error) === NO_ANSWER
          ? 'The broker did not confirm the message in time'
          : 'The connection was lost before the broker confirmed the message'
      return new MessageDeliveryFailure(`${what}: ${cause.message}`, { ...facts, cause })
    }
    default:
      throw new TypeError('A confirmed message has no error')
  }
}

const CLOSED_BY_ANOTHER = 'The broker closed the channel because of another message before it'
