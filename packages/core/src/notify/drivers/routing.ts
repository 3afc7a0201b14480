import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ADVICE } from '../../diagnostics/logger.ts'
import { ConfigurationError } from '../../errors.ts'
import { errorText } from '../../util/text.ts'
import type { NotificationDriver, NotificationDriverContext } from '../notification-driver.ts'
import { RoutingRules } from '../routing-rules.ts'
import { runAll } from '../run-all.ts'

const OPTION = '[oslo_messaging_notifications] routing_config'

/** Hands notifications to other drivers, by event and priority, as the YAML file of `routing_config` says. Unlike
 *  oslo's, it works.
 *  Without a file it warns and hands on nothing. Throws ConfigurationError when the file cannot be read, is wrong, or
 *  names a driver that does not exist or `routing` itself. */
export function routingDriver({ transport, logger, create }: NotificationDriverContext): NotificationDriver {
  const file = transport.conf.get('oslo_messaging_notifications', 'routing_config')
  if (file === null || file === '') logger.warn(`The notification driver routing has no rules: set ${OPTION}`, ADVICE)
  const rules = RoutingRules.from(file === null || file === '' ? null : readYaml(file), (message) =>
    logger.warn(message, ADVICE),
  )
  const drivers = new Map([...rules.drivers].map((name) => [name, createTarget(name, create)]))
  return {
    async notify(context, message, priority, options) {
      const chosen = rules.driversFor(message.event_type, priority)
      const tasks = [...chosen].map((name) => () => drivers.get(name)?.notify(context, message, priority, options))
      await runAll(tasks, logger, 'A routed notification could not be sent by one of its drivers')
    },
  }
}

function createTarget(name: string, create: NotificationDriverContext['create']): NotificationDriver {
  if (name === 'routing')
    throw new ConfigurationError('routing_config: routing cannot route to itself', { option: OPTION })
  return create(name)
}

function readYaml(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(`${OPTION}: ${file} cannot be read: ${errorText(cause)}`, { option: OPTION, cause })
  }
  // Loaded only for those who route, and at once, so that a wrong file shows while the notifier is made. A bundle for
  // CommonJS has no URL of its own, and finds yaml beside the program.
  const self = import.meta.url as string | undefined
  const yaml = createRequire(self ?? process.argv[1] ?? process.execPath)('yaml') as { parse(text: string): unknown }
  try {
    return yaml.parse(text)
  } catch (cause) {
    throw new ConfigurationError(`${OPTION}: ${file} is no YAML: ${errorText(cause)}`, { option: OPTION, cause })
  }
}
