import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { cached } from './cache.ts'
import { BrokerUnavailable } from './errors.ts'
import { progress } from './run.ts'

const execute = promisify(execFile)

/** A release of the library and what it is installed with. */
export interface PythonRelease {
  readonly version: string
  /** Extra of its package that brings the driver's own needs. */
  readonly extra: 'kafka' | 'amqp1' | 'tracing-http'
  /** What pip wants besides an index, when the extra is compiled from source. */
  readonly remedy?: string
}

/** The newest release, with its Kafka driver. */
export const NEWEST_PYTHON: PythonRelease = { version: '18.3.1', extra: 'kafka' }

/** The newest release, with an exporter of its traces. */
export const NEWEST_PYTHON_WITH_TRACING: PythonRelease = { version: '18.3.1', extra: 'tracing-http' }

/** The last release with a driver for AMQP 1.0. */
export const LAST_PYTHON_WITH_AMQP10: PythonRelease = {
  version: '14.9.3',
  extra: 'amqp1',
  remedy:
    'install a C compiler, cmake and the headers of Python and OpenSSL (gcc cmake python3-dev libssl-dev on Debian), which python-qpid-proton is built with',
}

/** Path of a Python that has the real library: a virtual environment in the cache, made on first use (some 25 s, a
 *  minute with AMQP 1.0). Rejects with BrokerUnavailable when there is no Python 3.11 or newer, no package index, or no
 *  compiler for what needs one. */
export async function pythonWithLibrary(release: PythonRelease = NEWEST_PYTHON): Promise<string> {
  const { version, extra, remedy } = release
  const name = `oslo.messaging-${version}${extra === 'tracing-http' ? '-tracing' : ''}`
  const folder = await environment(name, `oslo.messaging[${extra}]==${version}`, remedy)
  return path.join(folder, 'bin/python')
}

/** The release of nova that `pythonNova` has. */
export const NOVA_VERSION = '34.0.0'

/** Folder with the commands of a real nova (`nova-conductor`, `nova-manage`), made on first use (a minute or more).
 *  Rejects as `pythonWithLibrary`. */
export async function pythonNova(): Promise<string> {
  return path.join(await environment(`nova-${NOVA_VERSION}`, `nova==${NOVA_VERSION}`), 'bin')
}

/** A virtual environment in the cache, with one requirement. */
async function environment(name: string, requirement: string, remedy?: string): Promise<string> {
  return await cached(`python-${name}`, async (into) => {
    const python = await findPython()
    progress(`installing ${requirement} into ${into}`)
    try {
      await execute(python, ['-m', 'venv', into])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement]
      await execute(path.join(into, 'bin/python'), pip, { maxBuffer: 64 * 1024 * 1024 })
    } catch (error) {
      throw new BrokerUnavailable(
        'python peer',
        `${requirement} cannot be installed (${reasonOf(error)})`,
        [
          ...(remedy === undefined ? [] : [remedy]),
          'install python3-venv where Python comes without it',
          'check that pip reaches its index',
        ].join('; '),
      )
    }
  })
}

/** The last line that mentions an error, else the last line. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  const lines = said === '' ? [String(error)] : said.split('\n')
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? ''
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
