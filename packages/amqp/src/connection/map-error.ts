import {
  AuthenticationError,
  type DeliveryState,
  isMessagingError,
  type MessagingError,
  MessagingTimeout,
  type OperationPhase,
  TransportDriverError,
} from '@oslo-messaging/core/driver'

/** Conditions that nothing but somebody's hand changes. Everything else mends itself, or is worth another try. */
const REFUSED = new Set(['amqp:unauthorized-access'])
const FATAL_LINK = new Set(['amqp:unauthorized-access', 'amqp:not-allowed', 'amqp:invalid-field'])
/** TLS failures that a second attempt to the same host cannot change (codes of Node). */
const FATAL_TLS =
  /^(CERT_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ERR_TLS_CERT_ALTNAME_INVALID|ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA))/

export interface ErrorPlace {
  readonly host?: string | undefined
  readonly phase: OperationPhase
  readonly delivery: DeliveryState
  /** It says nothing for good, whatever its condition: it is not an answer to what was asked. */
  readonly isPassing?: boolean
  /** What was being done, to begin the message with: "Cannot connect to host:port". */
  readonly doing: string
}

interface Condition {
  readonly condition?: unknown
  readonly description?: unknown
  readonly code?: unknown
  readonly message?: unknown
}

/** Turns what rhea or Node reports into our errors; `cause` keeps the original. One table for the whole driver. */
export function mapError(error: unknown, place: ErrorPlace): MessagingError {
  if (isMessagingError(error)) return error
  const { condition, description, code, message } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as Condition
  const brokerCode = typeof condition === 'string' ? condition : typeof code === 'string' ? code : undefined
  const text = [brokerCode, description ?? message].filter((part) => typeof part === 'string' && part !== '').join(': ')
  const options = { cause: error, host: place.host, phase: place.phase, delivery: place.delivery, brokerCode }
  const sentence = `${place.doing}${text === '' ? '' : `: ${text}`}`
  if (place.isPassing === true) return new TransportDriverError(sentence, { ...options, retryable: true })
  if (brokerCode !== undefined && REFUSED.has(brokerCode)) return new AuthenticationError(sentence, options)
  if (brokerCode !== undefined && FATAL_TLS.test(brokerCode)) return new AuthenticationError(sentence, options)
  return new TransportDriverError(sentence, {
    ...options,
    retryable: brokerCode === undefined || !FATAL_LINK.has(brokerCode),
  })
}

/** Whether recovery goes on after the failure. What a caller has to take for its end, because its own time is over, is
 *  none for what is kept up: a peer that did not answer once may the next time. */
export function classify(error: unknown): 'retry' | 'fatal' {
  if (error instanceof MessagingTimeout) return 'retry'
  return isMessagingError(error) && !error.retryable ? 'fatal' : 'retry'
}
