import {
  AuthenticationError,
  isMessagingError,
  type MessagingError,
  networkError,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { LinkLost } from '../client/link.ts'

const REFUSED = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM'])
/** What time mends: the server reads its data, is busy, is a replica for now, or has no memory left. */
const PASSING = new Set([
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'READONLY',
  'OOM',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'NOGROUP',
  'MISCONF',
])

/** What went wrong, in errors of the library; the original is the cause. */
export function mapError(error: unknown, host: string | undefined): MessagingError {
  if (isMessagingError(error)) return error
  const text = error instanceof Error ? error.message : String(error)
  const [, word] = /^([A-Z]{2,})\b/.exec(text) ?? []
  if (word !== undefined && REFUSED.has(word))
    return new AuthenticationError(`Redis at ${host ?? 'an unknown host'} refused: ${text}`, {
      cause: error,
      host,
      brokerCode: word,
    })
  const ofNetwork = host === undefined ? undefined : networkError(error, host)
  if (ofNetwork !== undefined) return ofNetwork
  if (error instanceof LinkLost) return new TransportDriverError(text, { cause: error, host, retryable: true })
  return new TransportDriverError(`Redis at ${host ?? 'an unknown host'}: ${text}`, {
    cause: error,
    host,
    retryable: word === undefined || PASSING.has(word),
    brokerCode: word,
  })
}

/** The word that an error of the server begins with, NOGROUP for example. */
export function wordOf(error: unknown): string | undefined {
  return error instanceof Error ? /^([A-Z]{2,})\b/.exec(error.message)?.[1] : undefined
}
