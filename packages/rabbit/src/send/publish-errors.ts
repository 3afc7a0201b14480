import {
  isMessagingError,
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
  const { retryable, phase = progress.phase } = cause
  const delivery = progress.maybeSent === true ? 'unknown' : (cause.delivery ?? progress.delivery)
  const text = `Not delivered after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${cause.message}`
  return new MessageDeliveryFailure(text, { attempts, elapsedMs, cause, retryable, phase, delivery })
}

/** A failure with what earlier attempts make of it: a timeout says why the last of them failed, and a message that one
 *  of them may have brought to the broker was not left unsent, whatever became of the last. */
export function withLastFailure(error: unknown, { lastFailure, maybeSent }: Progress): unknown {
  if (!isMessagingError(error)) return error
  const isDoubtful = maybeSent === true && error.delivery === 'not-sent'
  const delivery = isDoubtful ? 'unknown' : error.delivery
  if (error instanceof MessagingTimeout) {
    const { phase, timeoutMs } = error
    const isExplained = lastFailure === undefined || error.cause !== undefined
    if (isExplained && !isDoubtful) return error
    const message = isExplained ? error.message : `${error.message}: ${lastFailure.message}`
    return new MessagingTimeout(message, { phase, delivery, timeoutMs, cause: error.cause ?? lastFailure })
  }
  if (!isDoubtful) return error
  const { message, phase, retryable } = error
  return new MessageDeliveryFailure(message, { phase, delivery, retryable, cause: error })
}

/** Whether another attempt is worth the second copy that it may make. What was refused (nack) is in no queue as a rule,
 *  and every request would fail while a queue has no leader, so that is sent again whatever it is. */
export function mayRepeat(outcome: PublishOutcome, { repeatUnknown, requirement }: OutgoingMessage): boolean {
  if (outcome.kind === 'nacked' || outcome.kind === 'unsent') return true
  if (outcome.kind !== 'unknown') return false
  if (repeatUnknown) return true
  // The exchange was gone, and with it every queue this message could have reached; only companions of the same moment
  // are in doubt.
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
      return new MessageDeliveryFailure(
        'The broker refused the message (nack), though not each of its queues may have',
        {
          phase: 'confirm',
          delivery: 'unknown',
          retryable: true,
        },
      )
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
