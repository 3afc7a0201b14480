import { checkOptions } from '../util/check.ts'
import type { Logger } from './logger.ts'

/** What `pinoLogger` needs of pino: the fields go first there. */
export interface PinoLike {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A logger that writes to pino. `error` becomes `err`, or what `errorKey` says, which pino writes with its stack and
 *  its causes. */
export function pinoLogger(pino: PinoLike, options: { readonly errorKey?: string } = {}): Logger {
  checkOptions('pinoLogger', options, { errorKey: true })
  const { errorKey = 'err' } = options
  const at =
    (level: keyof Logger) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const { error, ...rest } = fields
      pino[level]('error' in fields ? { ...rest, [errorKey]: error } : rest, message)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** A logger that writes to the console from `level` (default `info`) on: the message, then its fields as the console
 *  shows objects. A function is asked at each line, so that the level can change while the service runs. */
export function consoleLogger(
  options: {
    readonly level?: keyof Logger | (() => keyof Logger)
    readonly console?: Pick<Console, 'debug' | 'info' | 'warn' | 'error'>
  } = {},
): Logger {
  checkOptions('consoleLogger', options, { level: true, console: true })
  const { level: given = 'info', console: out = console } = options
  const least = (): number => LEVELS.indexOf(typeof given === 'function' ? given() : given)
  if (least() < 0) throw new TypeError(`level must be one of ${LEVELS.join(', ')}`)
  const at =
    (level: keyof Logger): Logger[keyof Logger] =>
    (message, fields) => {
      if (LEVELS.indexOf(level) < least()) return
      if (fields === undefined) out[level](message)
      else out[level](message, fields)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
