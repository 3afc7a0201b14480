import { isMessagingError } from '@oslo-messaging/core/driver'
import { ClientFault, type ClientFaultOptions } from '../port/client-port.ts'

/** The parts of a kafkajs error that say something; any of them may be missing. */
interface ErrorFacts {
  readonly type?: unknown
  readonly code?: unknown
  readonly broker?: unknown
  readonly host?: unknown
  readonly port?: unknown
}

/** Longest chain of causes that is followed. */
const DEEPEST = 10

/** A ClientFault for whatever kafkajs threw. The innermost cause decides: its `type`, else its `code`, else its `name`;
 *  the outer `retriable` flags are wrong often enough to be ignored. */
export function faultOf(error: unknown, options: Omit<ClientFaultOptions, 'cause' | 'host'> = {}): ClientFault {
  if (error instanceof ClientFault) return error
  const inner = innermost(error)
  if (inner instanceof ClientFault) return inner
  const message = inner instanceof Error ? inner.message : String(inner)
  return new ClientFault(typeOf(inner), message, { ...options, host: hostOf(inner), cause: error })
}

function innermost(error: unknown): unknown {
  let inner = error
  for (let depth = 0; depth < DEEPEST && inner instanceof Error; depth += 1) {
    // Ours, on its way through the library: it says what it means.
    if (inner instanceof ClientFault || isMessagingError(inner)) return inner
    const first: unknown = inner instanceof AggregateError || 'errors' in inner ? firstOf(inner.errors) : undefined
    const next: unknown = inner.cause ?? first
    if (!(next instanceof Error)) return inner
    inner = next
  }
  return inner
}

function firstOf(errors: unknown): unknown {
  return Array.isArray(errors) ? errors[0] : undefined
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error'
  if (isMessagingError(error, 'DRIVER_LOAD')) return 'CodecMissing'
  const { type, code } = error as ErrorFacts
  if (typeof type === 'string' && type !== '') return type
  if (typeof code === 'string' && code !== '') return code
  return error.name
}

function hostOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { broker, host, port } = error as ErrorFacts
  if (typeof broker === 'string') return broker
  return typeof host === 'string' && typeof port === 'number' ? `${host}:${port}` : undefined
}
