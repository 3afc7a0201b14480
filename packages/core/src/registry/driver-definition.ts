import { type DriverDefinition, DRIVER_API, OLDEST_DRIVER_API } from '../driver/driver.ts'

/** What makes a value a driver definition. */
const NEEDED: Readonly<Record<string, (value: unknown) => boolean>> = {
  name: (value) => typeof value === 'string',
  schemes: (value) => Array.isArray(value) && value.every((scheme) => typeof scheme === 'string'),
  capabilities: (value) => typeof value === 'object' && value !== null,
  open: (value) => typeof value === 'function',
}

/** Whether a value has the shape of a driver definition. Structural, because a driver may have been built against
 *  another copy of core. */
export function isDriverDefinition(value: unknown): value is DriverDefinition {
  return typeof value === 'object' && value !== null && missingIn(value).length === 0
}

/** For each export that was meant to be a driver definition and is none, what it lacks: `nats: schemes, open`. */
export function unfinishedDrivers(module: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(module).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null || !('open' in value || 'schemes' in value)) return []
    const missing = missingIn(value)
    return missing.length === 0 ? [] : [`${name} lacks ${missing.join(', ')}`]
  })
}

function missingIn(value: object): readonly string[] {
  const given = value as Readonly<Record<string, unknown>>
  return Object.entries(NEEDED).flatMap(([name, holds]) => (holds(given[name]) ? [] : [name]))
}

/** Why this core cannot work with the contract a driver is written for, and what to do; undefined when it can. */
export function apiRefusal({ api = 1 }: DriverDefinition): string | undefined {
  if (api >= OLDEST_DRIVER_API && api <= DRIVER_API) return undefined
  const served = OLDEST_DRIVER_API === DRIVER_API ? `version ${DRIVER_API}` : `${OLDEST_DRIVER_API} to ${DRIVER_API}`
  const remedy =
    api > DRIVER_API
      ? 'npm install @oslo-messaging/core@latest, or an older release of the driver'
      : 'install a newer release of the driver, or keep the core it was made for'
  return `is written for version ${api} of the driver contract, and this core serves ${served}: ${remedy}`
}

/** The driver definitions a module exports, by name or as default, also behind the default export of a CommonJS
 *  module. */
export function exportedDrivers(module: Readonly<Record<string, unknown>>): DriverDefinition[] {
  const { default: main } = module
  const values = [main, ...Object.values(module)]
  if (typeof main === 'object' && main !== null && !isDriverDefinition(main)) values.push(...Object.values(main))
  return [...new Set(values)].filter(isDriverDefinition)
}
