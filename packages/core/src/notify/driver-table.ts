import { ConfigurationError } from '../errors.ts'
import { isPromiseLike } from '../util/promise.ts'
import { kindOf } from '../util/check.ts'
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

/** Makes the drivers by name; each name once. `extra` adds to the built-in ones, or replaces them. Throws
 *  ConfigurationError for a name nobody knows. */
export function createNotificationDrivers(
  names: readonly string[],
  context: Omit<NotificationDriverContext, 'create'>,
  extra: Readonly<Record<string, NotificationDriverFactory>> = {},
): ReadonlyMap<string, NotificationDriver> {
  const known = new Map(Object.entries({ ...BUILT_IN, ...extra }))
  const create = (name: string): NotificationDriver => {
    const factory = known.get(name)
    if (factory === undefined) throw unknownDriver(name, known.keys())
    return checked(name, factory, { ...context, create })
  }
  return new Map([...new Set(names)].map((name) => [name, create(name)]))
}

/** JavaScript's callers may have put anything under `drivers`. */
function checked(
  name: string,
  factory: NotificationDriverFactory,
  context: NotificationDriverContext,
): NotificationDriver {
  if (typeof factory !== 'function')
    throw new TypeError(`drivers.${name} must be a function that makes a notification driver, not ${kindOf(factory)}`)
  const driver = factory(context)
  if (typeof driver === 'object' && driver !== null && typeof driver.notify === 'function') return driver
  throw new TypeError(
    `drivers.${name} must give, at once, an object with the method notify; it gave ${isPromiseLike(driver) ? 'a promise' : kindOf(driver)}`,
  )
}

function unknownDriver(name: string, known: Iterable<string>): ConfigurationError {
  const names = [...known]
  const close = suggest(name, names)
  const hint = close === undefined ? `known are ${names.join(', ')}` : `did you mean ${close}?`
  return new ConfigurationError(`There is no notification driver ${name}; ${hint}`, {
    option: '[oslo_messaging_notifications] driver',
  })
}
