import { isMessagingError, RemoteError } from '@oslo-messaging/core'

/** An error of messaging as the body of an HTTP response: what a caller decides by is in it, and nothing of the
 *  inside. */
export interface HttpError {
  readonly statusCode: number
  /** The name of the class. */
  readonly error: string
  readonly message: string
  readonly code: string
  readonly phase?: string
  readonly delivery?: string
  readonly retryable: boolean
}

/** Code to status; whatever else is 500. */
const STATUS: Readonly<Record<string, number>> = {
  TIMEOUT: 504,
  SERVER_LOST: 504,
  REPLY_PATH_LOST: 504,
  UNDELIVERABLE: 503,
  DELIVERY: 503,
  BACKPRESSURE: 503,
  SEND: 503,
  DRIVER: 503,
  CLOSED: 503,
  REMOTE: 502,
  NO_SUCH_METHOD: 501,
  UNSUPPORTED_VERSION: 501,
  VERSION_CAP: 501,
}

/** What an HTTP client may be told of an error of messaging; undefined for any other error. The text of a method that
 *  failed elsewhere is not passed on: it was written for that service's people. */
export function httpError(error: unknown): HttpError | undefined {
  if (!isMessagingError(error)) return undefined
  const { name, code, phase, delivery, retryable } = error
  const statusCode = STATUS[code.replace(/^OSLO_MESSAGING_/, '')] ?? 500
  const message = error instanceof RemoteError ? 'A service behind this one failed' : error.message
  return {
    statusCode,
    error: name,
    message,
    code,
    ...(phase === undefined ? {} : { phase }),
    ...(delivery === undefined ? {} : { delivery }),
    retryable,
  }
}
