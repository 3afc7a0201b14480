import { TransportDriverError } from '../errors.ts'
import { errorText } from '../util/text.ts'

/** What Node.js says of a network that fails, as people say it. All of it may mend itself. */
const SAYS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection',
  ECONNABORTED: 'ended the connection',
  EPIPE: 'has closed the connection',
  ETIMEDOUT: 'does not answer',
  EHOSTUNREACH: 'cannot be reached',
  EHOSTDOWN: 'is down',
  ENETUNREACH: 'cannot be reached: no network',
  ENETDOWN: 'cannot be reached: the network is down',
  ENOTFOUND: 'has no address',
  EAI_AGAIN: 'has no address at the moment',
}

/** The error for what a socket, or whoever looks names up, failed with; undefined for anything else. `address` is
 *  `host:port` without credentials. */
export function networkError(error: unknown, address: string): TransportDriverError | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const says = SAYS[code]
  if (says !== undefined)
    return new TransportDriverError(`${address} ${says} (${code})`, { cause: error, retryable: true, host: address })
  // Several addresses of one name, all of which failed: the first says what most of them did.
  if (error instanceof AggregateError && error.errors.length > 0) return networkError(error.errors[0], address)
  return undefined
}

/** As `networkError`, for whatever a connection ended with: what is none of these is a failure that may pass, too. */
export function connectionLost(error: unknown, address: string): TransportDriverError {
  const known = networkError(error, address)
  if (known !== undefined) return known
  const why = error === undefined ? 'The connection ended' : errorText(error)
  return new TransportDriverError(`${address}: ${why}`, { cause: error, retryable: true, host: address })
}
