import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suggest } from '../util/suggest.ts'
import type { DriverDefinition } from '../driver/driver.ts'
import { DriverLoadFailure } from '../errors.ts'
import { checkList, checkOptions, type OptionNames } from '../util/check.ts'
import { discoverDriver } from './discover-driver.ts'
import { isDriverDefinition } from './driver-definition.ts'
import { OWN_PACKAGES, packageToInstall } from './packages.ts'

/** Where a registry takes drivers from. With nothing given it knows none. */
export interface DriverRegistryOptions {
  /** Drivers by value; they win over what is discovered. */
  readonly drivers?: readonly DriverDefinition[] | undefined
  /** Look for an installed package when no driver in `drivers` serves a scheme: `@oslo-messaging/<scheme>`, then
   *  `oslo-messaging-driver-<scheme>`. Default: false. */
  readonly discover?: boolean | undefined
  /** Folders from which packages are searched, upwards. Default: that of the main module, then that of this library.
   *  Never the working directory unless it is named here: whoever may write there would run code that is given the
   *  password of the broker. */
  readonly searchFrom?: readonly string[] | undefined
}

/** Finds the driver that serves a URL's scheme. An instance: nothing is registered anywhere else. */
export interface DriverRegistry {
  /** Schemes of the drivers given by value. */
  readonly schemes: readonly string[]
  /** The driver for a scheme; a part after `+` is ignored.
   *  Rejects: DriverLoadFailure that lists the known schemes and names the package to add; with `cause` when a package
   *  was found but failed to load. */
  resolve(scheme: string): Promise<DriverDefinition>
}

const OPTIONS: OptionNames<DriverRegistryOptions> = { drivers: true, discover: true, searchFrom: true }

/** Throws: TypeError when two drivers serve one scheme, or something is no driver definition. */
export function getDriverRegistry(options: DriverRegistryOptions = {}): DriverRegistry {
  if (Array.isArray(options))
    throw new TypeError('createDriverRegistry takes an object: { drivers: [rabbitDriver] }, not a list')
  checkOptions('createDriverRegistry', options, OPTIONS)
  const { drivers = [], discover = false } = options
  checkList('drivers', drivers, '[rabbitDriver]')
  const byScheme = new Map<string, DriverDefinition>()
  for (const driver of drivers) {
    if (!isDriverDefinition(driver)) {
      throw new TypeError('drivers must hold driver definitions: values with name, schemes, capabilities and open()')
    }
    for (const scheme of driver.schemes) {
      const other = byScheme.get(scheme)
      if (other !== undefined && other !== driver) {
        throw new TypeError(
          `The drivers ${other.name} and ${driver.name} both serve the scheme ${scheme}; leave one out`,
        )
      }
      byScheme.set(scheme, driver)
    }
  }
  const schemes = [...byScheme.keys()]
  const discovered = new Map<string, DriverDefinition>()

  return {
    schemes,
    async resolve(transport) {
      const [scheme = ''] = transport.split('+', 1)
      // Also what makes the scheme safe as a part of a package name.
      if (!/^[a-z][a-z0-9]*$/.test(scheme)) {
        throw new DriverLoadFailure(
          scheme,
          `${JSON.stringify(scheme)} cannot name a driver: small letters and digits, the first a letter. Known: ${listSchemes(schemes)}`,
        )
      }
      const known = byScheme.get(scheme) ?? discovered.get(scheme)
      if (known !== undefined) return known
      const folders = discover ? (options.searchFrom ?? applicationFolders()) : []
      const found = discover ? await discoverDriver(scheme, folders) : undefined
      if (found === undefined) throw notFound(scheme, schemes, discover ? folders : undefined)
      discovered.set(scheme, found)
      return found
    },
  }
}

/** Where an application's packages are looked for: never the working directory. */
export function applicationFolders(): string[] {
  const main = process.argv[1]
  // Under `node -e` the first argument stands there, which is no path of a program.
  const program = main !== undefined && isAbsolute(main) ? [main] : []
  // Absent in a bundle that was made for CommonJS.
  const own = import.meta.url as string | undefined
  return own === undefined ? program : [...program, fileURLToPath(own)]
}

/** `searched`: where packages were looked for; undefined when that was not asked for. */
function notFound(
  scheme: string,
  schemes: readonly string[],
  searched: readonly string[] | undefined,
): DriverLoadFailure {
  const meant = OWN_PACKAGES.has(scheme) ? undefined : suggest(scheme, [...schemes, ...OWN_PACKAGES.keys()])
  const remedy = `npm install ${packageToInstall(scheme)}`
  const place =
    searched === undefined
      ? ', and give its driver to createDriverRegistry'
      : `. Looked for upwards from ${searched.join(' and ')}`
  return new DriverLoadFailure(
    scheme,
    `No driver serves the scheme ${scheme}. Known: ${listSchemes(schemes)}. ` +
      `${meant === undefined ? 'Add one' : `Did you mean ${meant}? If not, add one`}: ${remedy}${place}`,
  )
}

function listSchemes(schemes: readonly string[]): string {
  return schemes.length === 0 ? 'none' : schemes.join(', ')
}

/** The first name of `getDriverRegistry`. */
export const createDriverRegistry: typeof getDriverRegistry = getDriverRegistry
