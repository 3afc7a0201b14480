import type { MessagingConfig } from '../config/messaging-config.ts'
import type { DriverDefinition } from '../driver/driver.ts'
import type { MigrationPlan, MigrationSide } from '../driver/migration.ts'
import { UnsupportedCapability } from '../errors.ts'
import { checkOptions, type OptionNames } from '../util/check.ts'
import { type DriverSource, findDriver, isSet } from './open-transport.ts'

/** Whose configurations are compared. */
export interface PlanMigrationOptions {
  /** `[DEFAULT] transport_url`, or that of notifications, which falls back to it. Default `default`. */
  readonly section?: 'default' | 'notifications' | undefined
  /** Where drivers are found. Default: the installed packages. */
  readonly registry?: DriverSource | undefined
}

const OPTIONS: OptionNames<PlanMigrationOptions> = { section: true, registry: true }

/** Says what it takes to get a deployment from one configuration to another without losing a message; asks no broker,
 *  and changes nothing.
 *  Rejects: UnsupportedCapability when the driver has no plan, or the two configurations use two drivers;
 *  InvalidTransportURL, DriverLoadFailure or ConfigurationError as `getRpcTransport` does. */
export async function planMigration(
  from: MessagingConfig,
  to: MessagingConfig,
  options: PlanMigrationOptions = {},
): Promise<MigrationPlan> {
  checkOptions('planMigration', options, OPTIONS)
  const [before, after] = [await readSide(from, options), await readSide(to, options)]
  const [{ name }, { name: next }] = [before.definition, after.definition]
  if (name !== next)
    throw new UnsupportedCapability(
      'planMigration',
      `From the ${name} driver to the ${next} driver there is no plan: the two share nothing. Let services read from both, and senders change one after the other`,
    )
  if (after.definition.planMigration === undefined)
    throw new UnsupportedCapability('planMigration', `The ${name} driver has no plan of migration`)
  return after.definition.planMigration(before.side, after.side)
}

/** A configuration as its driver is asked about it. Rejects as `getRpcTransport` does. */
export async function readSide(
  conf: MessagingConfig,
  { section = 'default', registry }: PlanMigrationOptions,
): Promise<{ readonly definition: DriverDefinition; readonly side: MigrationSide }> {
  const configured = (): string | null => {
    const own = section === 'notifications' ? conf.get('oslo_messaging_notifications', 'transport_url') : null
    return isSet(own) ? own : conf.get('DEFAULT', 'transport_url')
  }
  const { url, definition, context } = await findDriver(conf, { registry }, configured)
  const { options, defaultExchange } = context
  return { definition, side: { url, options, defaultExchange } }
}
