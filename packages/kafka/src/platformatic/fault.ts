import { isMessagingError } from '@oslo-messaging/core/driver'
import { ClientFault, type ClientFaultOptions } from '../port/client-port.ts'

/** The parts of an error of the library that say something; any of them may be missing. */
interface ErrorFacts {
  /** The broker's error name. */
  readonly apiId?: unknown
  readonly code?: unknown
  readonly errors?: unknown
}

/** Longest chain of causes that is followed. */
const DEEPEST = 10

/** Errors that Kafka has given another name; the port, and with it what users read in `brokerCode`, keeps the older
 *  ones. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  NOT_LEADER_OR_FOLLOWER: 'NOT_LEADER_FOR_PARTITION',
  NOT_COORDINATOR: 'NOT_COORDINATOR_FOR_GROUP',
  COORDINATOR_NOT_AVAILABLE: 'GROUP_COORDINATOR_NOT_AVAILABLE',
  COORDINATOR_LOAD_IN_PROGRESS: 'GROUP_LOAD_IN_PROGRESS',
}

/** What the library says without a broker's or the system's word for it. */
const OWN_CODES: Readonly<Record<string, string>> = {
  PLT_KFK_NETWORK: 'ConnectionClosed',
  PLT_KFK_TIMEOUT: 'RequestTimeout',
  PLT_KFK_AUTHENTICATION: 'SASL_AUTHENTICATION_FAILED',
}

/** A ClientFault for whatever the library threw: the innermost cause says what it is. */
export function faultOf(error: unknown, options: Omit<ClientFaultOptions, 'cause'> = {}): ClientFault {
  if (error instanceof ClientFault) return error
  const inner = innermost(error)
  if (inner instanceof ClientFault) return inner
  const message = inner instanceof Error ? inner.message : String(inner)
  return new ClientFault(typeOf(inner), message, { ...options, cause: error })
}

export function brokerErrorName(name: string): string {
  return OLDER_NAMES[name] ?? name
}

function innermost(error: unknown): unknown {
  let inner = error
  for (let depth = 0; depth < DEEPEST && inner instanceof Error; depth += 1) {
    if (inner instanceof ClientFault || isMessagingError(inner)) return inner
    const { errors } = inner as ErrorFacts
    const next: unknown = inner.cause ?? (Array.isArray(errors) ? errors[0] : undefined)
    if (!(next instanceof Error)) return inner
    inner = next
  }
  return inner
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error'
  if (isMessagingError(error, 'DRIVER_LOAD')) return 'CodecMissing'
  const { apiId, code } = error as ErrorFacts
  if (typeof apiId === 'string') return brokerErrorName(apiId)
  if (typeof code === 'string' && code !== '') return OWN_CODES[code] ?? code
  return error.name
}
