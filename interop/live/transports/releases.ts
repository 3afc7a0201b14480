import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { LAST_PYTHON_WITH_AMQP10, NEWEST_PYTHON, pythonWithLibrary, type PythonRelease } from '@oslo-messaging/brokers'

/** The release that Debian 12 packages; still what many deployments run. */
const DEBIAN_PYTHON: PythonRelease = { version: '14.0.3', extra: 'kafka' }

export const RELEASES = { newest: NEWEST_PYTHON, debian: DEBIAN_PYTHON, amqp10: LAST_PYTHON_WITH_AMQP10 } as const
export type Release = keyof typeof RELEASES

/** Path of a Python with that release: Debian's own where it is installed, else a virtual environment that is made on
 *  first use. */
export async function pythonOf(release: Release): Promise<{ readonly python: string; readonly from: string }> {
  if (release === 'debian' && (await hasDebianPackage()))
    return { python: SYSTEM_PYTHON, from: 'the package of the distribution' }
  return { python: await pythonWithLibrary(RELEASES[release]), from: 'a virtual environment' }
}

const SYSTEM_PYTHON = '/usr/bin/python3'

async function hasDebianPackage(): Promise<boolean> {
  const question = 'from importlib.metadata import version; import confluent_kafka; print(version("oslo.messaging"))'
  return promisify(execFile)(SYSTEM_PYTHON, ['-c', question]).then(
    ({ stdout }) => stdout.trim() === DEBIAN_PYTHON.version,
    () => false,
  )
}
