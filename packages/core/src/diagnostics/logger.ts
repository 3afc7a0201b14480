import { isPromiseLike } from '../util/promise.ts'
import { emitDiagnostic } from './channels.ts'
import { type PinoLike, pinoLogger } from './log-adapters.ts'

/** What the library writes to: `consoleLogger()`, `pinoLogger(pino())`, or four methods of one's own.
 *  `fields` never hold secrets or message bodies. An error is the field `error`; `advice: true` marks what somebody who
 *  sets things up should read. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Fields of a warning that nobody who sets a service up should miss. */
export const ADVICE: Readonly<Record<string, unknown>> = Object.freeze({ advice: true })

const ignore = (): void => {}

/** Takes everything and shows nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

const advised = new Set<string>()

/** Where no logger is given: a library prints nothing that the application did not ask for, but for advice, which Node
 *  shows once as a warning of the process. */
export const defaultLogger: Logger = {
  ...silentLogger,
  warn(message, fields) {
    if (fields?.['advice'] !== true || advised.has(message)) return
    advised.add(message)
    process.emitWarning(message, { type: 'OsloMessagingWarning', code: 'OSLO_MESSAGING_ADVICE' })
  },
}

const guarded = new WeakSet<Logger>([silentLogger, defaultLogger])

/** The logger the library works with. One that throws or rejects costs nobody a reply: the diagnostics channel is told.
 *  pino itself is taken for `pinoLogger(pino)`. */
export function useLogger(given: Logger | undefined): Logger {
  if (given === undefined) return defaultLogger
  if (guarded.has(given)) return given
  const logger = isPino(given) ? pinoLogger(given) : given
  const at =
    (level: keyof Logger) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      try {
        const done: unknown = fields === undefined ? logger[level](message) : logger[level](message, fields)
        if (isPromiseLike(done)) done.then(undefined, report)
      } catch (error) {
        report(error)
      }
    }
  const safe: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  guarded.add(safe)
  return safe
}

function report(error: unknown): void {
  emitDiagnostic('oslo-messaging:background-error', () => ({ source: 'logger', error }))
}

/** pino given as it is would lose the fields, and with them every error. */
function isPino(logger: Logger & Partial<Record<'bindings' | 'child', unknown>>): logger is Logger & PinoLike {
  return typeof logger.bindings === 'function' && typeof logger.child === 'function'
}
