import { pathToFileURL } from 'node:url'
import type { DriverDefinition } from '../driver/driver.ts'
import { DriverLoadFailure } from '../errors.ts'
import { errorText } from '../util/text.ts'
import { exportedDrivers } from './driver-definition.ts'
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
    const found = await findPackage(name, folders).catch((cause: unknown) => {
      throw new DriverLoadFailure(scheme, `The package.json of ${name} cannot be read: ${errorText(cause)}`, { cause })
    })
    if (found !== undefined) return pickDriver(scheme, found, await load(scheme, found))
  }
  return undefined
}

async function load(scheme: string, found: InstalledPackage): Promise<Readonly<Record<string, unknown>>> {
  const entry = packageEntry(found)
  if (entry === undefined) {
    throw new DriverLoadFailure(scheme, `The package ${found.name} (${found.folder}) has no entry that can be imported`)
  }
  try {
    return (await import(pathToFileURL(entry).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && /MODULE_NOT_FOUND/.test(String(cause.code))
    throw new DriverLoadFailure(
      scheme,
      `The driver package ${found.name} (${found.folder}) cannot be loaded: ${errorText(cause)}` +
        (isMissing ? '. Something it needs is not installed: run npm install' : ''),
      { cause },
    )
  }
}

function pickDriver(
  scheme: string,
  found: InstalledPackage,
  module: Readonly<Record<string, unknown>>,
): DriverDefinition {
  const drivers = exportedDrivers(module)
  const driver = drivers.find((each) => each.schemes.includes(scheme))
  if (driver !== undefined) return driver
  const served = drivers.flatMap((each) => each.schemes)
  throw new DriverLoadFailure(
    scheme,
    `The package ${found.name} (${found.folder}) exports no driver for the scheme ${scheme}` +
      `${served.length === 0 ? '' : ` (only for ${served.join(', ')})`}; ` +
      'a driver package exports a value with name, schemes, capabilities and open()',
  )
}
