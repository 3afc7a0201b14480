import { ConfigurationError } from '../errors.ts'
import { suggest } from '../util/suggest.ts'
import { logDriver } from './drivers/log.ts'
import { messagingDriver } from './drivers/messaging.ts'
import { messagingv2Driver } from './drivers/messagingv2.ts'
import { noopDriver } from './drivers/noop.ts'
import { routingDriver } from './drivers/routing.ts'
import { testDriver } from './drivers/test.ts'
import type { NotificationDriver, NotificationDriverContext, NotificationDriverFactory } from './notification-driver.ts'

const BUILT_IN: Readonly<Record<string, NotificationDriverFactory>> = {
  messaging: messagingDriver,
  messagingv2: messagingv2Driver,
  log: logDriver,
  noop: noopDriver,
  routing: routingDriver,
  test: testDriver,
}

/** Makes the drivers by name; each name once. `extra` adds to the built-in ones, or replaces them. Throws ConfigurationError for a name nobody knows. */
export function createNotificationDrivers(
  names: readonly string[],
  context: Omit<NotificationDriverContext, 'create'>,
  extra: Readonly<Record<string, NotificationDriverFactory>> = {},
): ReadonlyMap<string, NotificationDriver> {
  const known = new Map(Object.entries({ ...BUILT_IN, ...extra }))
  const create = (name: string): NotificationDriver => {
    const factory = known.get(name)
    if (factory === undefined) throw unknownDriver(name, known.keys())
    return factory({ ...context, create })
  }
  return new Map([...new Set(names)].map((name) => [name, create(name)]))
}

function unknownDriver(name: string, known: Iterable<string>): ConfigurationError {
  const names = [...known]
  const close = suggest(name, names)
  const hint = close === undefined ? `known are ${names.join(', ')}` : `did you mean ${close}?`
  return new ConfigurationError(`There is no notification driver ${name}; ${hint}`, {
    option: '[oslo_messaging_notifications] driver',
  })
}
