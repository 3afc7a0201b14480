import { type Driver, type DriverContext, type DriverDefinition, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { amqpDriver } from '../../src/definition.ts'
import type { AmqpOptions } from '../../src/config.ts'

/** Waits of a second where the defaults have ten, so that tests of recovery are short. */
const QUICK: Partial<AmqpOptions> = { link_retry_delay: 1, connection_retry_interval_max: 1 }

/** The driver on a URL, with options that differ from `QUICK`. */
export async function openDriver(
  url: string,
  options: Partial<AmqpOptions> = {},
  changes: Partial<Omit<DriverContext, 'options'>> = {},
  definition: DriverDefinition<AmqpOptions> = amqpDriver,
): Promise<Driver> {
  const context = createDriverContext(definition, { ...changes, options: { ...QUICK, ...options } })
  return await definition.open(TransportURL.parse(url), context)
}
