import type { DriverDefinition } from '../driver/driver.ts'

/** Whether a value has the shape of a driver definition. Structural, because a driver may have been built against
 *  another copy of core. */
export function isDriverDefinition(value: unknown): value is DriverDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { name, schemes, capabilities, open } = value as Partial<Record<keyof DriverDefinition, unknown>>
  return (
    typeof name === 'string' &&
    Array.isArray(schemes) &&
    schemes.every((scheme) => typeof scheme === 'string') &&
    typeof capabilities === 'object' &&
    capabilities !== null &&
    typeof open === 'function'
  )
}

/** The driver definitions a module exports, by name or as default, also behind the default export of a CommonJS
 *  module. */
export function exportedDrivers(module: Readonly<Record<string, unknown>>): DriverDefinition[] {
  const { default: main } = module
  const values = [main, ...Object.values(module)]
  if (typeof main === 'object' && main !== null && !isDriverDefinition(main)) values.push(...Object.values(main))
  return [...new Set(values)].filter(isDriverDefinition)
}
