import {
  AuthenticationError,
  isMessagingError,
  type MessagingError,
  networkError,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { LinkLost } from '../client/link.ts'

const REFUSED = /^(AuthorizationError|UserAuthenticationExpiredError|PermissionViolationError)$/
/** What JetStream says when it is full or has no leader for the moment: time mends it. */
const PASSING = new Set([10_008, 10_023, 10_047, 10_077, 10_074])

/** What went wrong, in errors of the library; the original is the cause. */
export function mapError(error: unknown, host: string | undefined): MessagingError {
  if (isMessagingError(error)) return error
  if (!(error instanceof Error)) return new TransportDriverError(String(error), { cause: error, host })
  if (error instanceof LinkLost) return new TransportDriverError(error.message, { cause: error, host, retryable: true })
  // The client library wraps what the socket failed with.
  const ofNetwork = host === undefined ? undefined : (networkError(error, host) ?? networkError(error.cause, host))
  if (ofNetwork !== undefined) return ofNetwork
  const name = [error, error.cause].find((each) => each instanceof Error && REFUSED.test(each.name))
  if (name !== undefined)
    return new AuthenticationError(`NATS at ${host ?? 'an unknown host'} refused: ${error.message}`, {
      cause: error,
      host,
    })
  const brokerCode = 'code' in error && ['string', 'number'].includes(typeof error.code) ? error.code : undefined
  if (error.name === 'JetStreamNotEnabled' || isNoResponders(error))
    return new TransportDriverError(`JetStream is not enabled at ${host ?? 'this server'}: notifications need it`, {
      cause: error,
      host,
      brokerCode: 503,
    })
  return new TransportDriverError(`NATS at ${host ?? 'an unknown host'}: ${error.message}`, {
    cause: error,
    host,
    retryable: error.name !== 'JetStreamApiError' || PASSING.has(Number(brokerCode)),
    brokerCode: brokerCode as string | number | undefined,
  })
}

function isNoResponders(error: Error): boolean {
  return [error, error.cause].some((each) => each instanceof Error && each.name === 'NoRespondersError')
}
