import { pathToFileURL } from 'node:url'
import type { DriverDefinition } from '../driver/driver.ts'
import { DriverLoadFailure } from '../errors.ts'
import { missingPackage } from '../util/missing-package.ts'
import { errorText } from '../util/text.ts'
import { apiRefusal, exportedDrivers, unfinishedDrivers } from './driver-definition.ts'
import { findPackage, type InstalledPackage, packageEntry } from './find-package.ts'
import { OWN_PACKAGES } from './packages.ts'

/** Loads the driver for a scheme from a package installed in or above one of `folders`; undefined when there is none.
 *  Rejects: DriverLoadFailure when a package is there and cannot be loaded (`cause`), or exports no driver for the
 *  scheme. */
export async function discoverDriver(
  scheme: string,
  folders: readonly string[],
): Promise<DriverDefinition | undefined> {
  const names = new Set([OWN_PACKAGES.get(scheme) ?? `@oslo-messaging/${scheme}`, `oslo-messaging-driver-${scheme}`])
  for (const name of names) {
    const found = find(scheme, name, folders)
    if (found !== undefined) return pickDriver(scheme, found, await load(scheme, found))
  }
  return undefined
}

function find(scheme: string, name: string, folders: readonly string[]): InstalledPackage | undefined {
  try {
    return findPackage(name, folders)
  } catch (cause) {
    throw new DriverLoadFailure(
      scheme,
      `The package.json of ${name} cannot be read: ${errorText(cause)}. Install the package again`,
      { cause },
    )
  }
}

/** `oslo-messaging-driver-nats 0.3.0 (/srv/app/node_modules/oslo-messaging-driver-nats)`. */
function describe({ name, folder, manifest }: InstalledPackage): string {
  const { version } = manifest
  return `${name}${typeof version === 'string' ? ` ${version}` : ''} (${folder})`
}

async function load(scheme: string, found: InstalledPackage): Promise<Readonly<Record<string, unknown>>> {
  const entry = packageEntry(found)
  if (entry === undefined) {
    throw new DriverLoadFailure(
      scheme,
      `The package ${describe(found)} has no entry that can be imported: install it again, or tell its author`,
    )
  }
  try {
    return (await import(pathToFileURL(entry).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new DriverLoadFailure(
      scheme,
      `The driver package ${describe(found)} cannot be loaded: ${errorText(cause)}. ${loadRemedy(found, cause)}`,
      { cause },
    )
  }
}

function loadRemedy({ name }: InstalledPackage, cause: unknown): string {
  const missing = missingPackage(cause)
  if (missing !== undefined)
    return missing.startsWith('@oslo-messaging/core')
      ? 'It needs a peer: npm install @oslo-messaging/core'
      : `Something it needs is not installed: npm install ${missing}`
  const text = errorText(cause)
  // What Node says when a door of core lacks a name that the driver imports.
  if (cause instanceof SyntaxError && text.includes('@oslo-messaging/core') && text.includes('export'))
    return 'It is made for a newer core: npm install @oslo-messaging/core@latest'
  return `Try another release of it (npm install ${name}@latest) and tell its author: importing a driver must not fail`
}

function pickDriver(
  scheme: string,
  found: InstalledPackage,
  module: Readonly<Record<string, unknown>>,
): DriverDefinition {
  const drivers = exportedDrivers(module)
  const serving = drivers.filter((each) => each.schemes.includes(scheme))
  const [driver] = serving
  if (driver === undefined) throw noDriver(scheme, found, module)
  if (serving.length > 1) {
    throw new DriverLoadFailure(
      scheme,
      `The package ${describe(found)} exports ${serving.length} drivers for the scheme ${scheme}: ` +
        'give the one you mean to getDriverRegistry({ drivers: [...] })',
    )
  }
  const refusal = apiRefusal(driver)
  if (refusal !== undefined)
    throw new DriverLoadFailure(scheme, `The driver ${driver.name} of ${describe(found)} ${refusal}`)
  return driver
}

function noDriver(
  scheme: string,
  found: InstalledPackage,
  module: Readonly<Record<string, unknown>>,
): DriverLoadFailure {
  const served = exportedDrivers(module).flatMap((each) => each.schemes)
  const unfinished = unfinishedDrivers(module)
  const others = served.length === 0 ? '' : ` (only for ${served.join(', ')})`
  const almost = unfinished.length === 0 ? '' : `; ${unfinished.join('; ')}`
  return new DriverLoadFailure(
    scheme,
    `The package ${describe(found)} exports no driver for the scheme ${scheme}${others}${almost}: ` +
      'a driver package exports a value with name, schemes, capabilities and open(). Use another release, or tell its author',
  )
}
