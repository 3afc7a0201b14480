import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { BrokerUnavailable, cached } from '@oslo-messaging/brokers'

const execute = promisify(execFile)

/** The library that the peers talk through, with its Kafka driver. */
const LIBRARY = 'oslo.messaging'
export const LIBRARY_VERSION = '18.3.1'

/** Path of a Python that has the real library: a virtual environment in the cache, made on first use (some 25 s).
 *  Rejects with BrokerUnavailable when there is no Python 3.11 or newer, or no package index. */
export async function pythonWithLibrary(): Promise<string> {
  const folder = await cached(`python-${LIBRARY}-${LIBRARY_VERSION}`, async (into) => {
    const python = await findPython()
    process.stderr.write(`interop: installing ${LIBRARY} ${LIBRARY_VERSION} into ${into}\n`)
    const requirement = `${LIBRARY}[kafka]==${LIBRARY_VERSION}`
    try {
      await execute(python, ['-m', 'venv', into])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement]
      await execute(path.join(into, 'bin/python'), pip, { maxBuffer: 64 * 1024 * 1024 })
    } catch (error) {
      const said =
        error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-1).join('') : ''
      throw new BrokerUnavailable(
        'python peer',
        `${requirement} cannot be installed (${said || String(error)})`,
        'install python3-venv where Python comes without it, and check that pip reaches its index',
      )
    }
  })
  return path.join(folder, 'bin/python')
}

async function findPython(): Promise<string> {
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11']) {
    const test = 'import sys, venv; sys.exit(sys.version_info < (3, 11))'
    const good = await execute(name, ['-c', test]).then(
      () => true,
      () => false,
    )
    if (good) return name
  }
  throw new BrokerUnavailable(
    'python peer',
    'there is no Python 3.11 or newer',
    'install python3 (and python3-venv on Debian)',
  )
}
