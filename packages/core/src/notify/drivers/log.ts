import { ADVICE, defaultLogger, type Logger } from '../../diagnostics/logger.ts'
import { encodeJson } from '../../wire/json.ts'
import { maskSecrets } from '../mask-secrets.ts'
import type { NotificationDriver, NotificationDriverContext } from '../notification-driver.ts'
import type { Priority } from '../priority.ts'

/** Loggers here know four levels; the rest of oslo's levels have none that fits. */
const LEVELS: Partial<Record<Priority, keyof Logger>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  critical: 'error',
}

/** Writes notifications to the logger: the JSON of the message with passwords, tokens and keys masked, at the level of
 *  its priority.
 *  The field `logger` is `oslo.messaging.notification.<event_type>`, the name Python logs under. `audit` and `sample`
 *  have no level and give a warning. */
export function logDriver({ logger }: NotificationDriverContext): NotificationDriver {
  if (logger === defaultLogger)
    logger.warn(
      'The notification driver log writes to a logger, and none was given: give the transport or the notifier one',
      ADVICE,
    )
  return {
    notify(_context, message, priority) {
      const name = `oslo.messaging.notification.${message.event_type}`
      const level = LEVELS[priority]
      if (level === undefined)
        logger.warn(`A notification of priority ${priority} cannot be logged: loggers have no such level`, {
          logger: name,
        })
      else logger[level](encodeJson(maskSecrets(message)), { logger: name })
    },
  }
}
