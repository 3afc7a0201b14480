import type { MessagingConfig } from '../config/messaging-config.ts'
import type { TopologyPlan, TopologyUse } from '../driver/topology-plan.ts'
import { UnsupportedCapability } from '../errors.ts'
import { checkOptions, type OptionNames } from '../util/check.ts'
import { type PlanMigrationOptions, readSide } from './plan-migration.ts'

/** Whose configuration it is, and where drivers are found. */
export type PlanTopologyOptions = PlanMigrationOptions

const OPTIONS: OptionNames<PlanTopologyOptions> = { section: true, registry: true }

/** Says what services with this configuration will declare for these uses, by the code that declares it; asks no
 *  broker.
 *  Rejects: UnsupportedCapability when the driver does not say, or has no such use; InvalidTarget for a target that no
 *  broker takes; InvalidTransportURL, DriverLoadFailure or ConfigurationError as `getRpcTransport` does. */
export async function planTopology(
  conf: MessagingConfig,
  uses: readonly TopologyUse[],
  options: PlanTopologyOptions = {},
): Promise<TopologyPlan> {
  checkOptions('planTopology', options, OPTIONS)
  const { definition, side } = await readSide(conf, options)
  if (definition.planTopology === undefined)
    throw new UnsupportedCapability('planTopology', `The ${definition.name} driver does not say what it declares`)
  return definition.planTopology(side, uses)
}
