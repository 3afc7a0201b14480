import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { cached } from './cache.ts'
import { BrokerUnavailable } from './errors.ts'
import { recipe } from './recipes.ts'
import { findCommand, progress, run } from './run.ts'

/** A server that is one program of one Debian package. */
export interface DebianProgram {
  /** The broker's name, and the scheme of its URLs; for messages and the cache. */
  readonly broker: 'nats' | 'redis'
  readonly package: string
  /** Where the program is inside the unpacked package. */
  readonly program: string
  /** Versions and the suites that carry them; the first one is the default. */
  readonly versions: readonly { readonly version: string; readonly suite: string }[]
}

/** A program in the cache, ready to run. */
export interface UnpackedProgram {
  readonly command: string
  /** As the package says. */
  readonly version: string
}

/** Unpacks the version (`2.9`, `7.0.15`) into the cache, or finds it there. Rejects with BrokerUnavailable when this
 *  machine cannot: no apt, another processor than the packages are for, no mirror with that suite. */
export async function unpackedProgram(wanted: DebianProgram, version?: string): Promise<UnpackedProgram> {
  const { broker, versions } = wanted
  const known = versions.find(
    (each) => version === undefined || each.version === version || each.version.startsWith(`${version}.`),
  )
  if (known === undefined) {
    const list = versions.map((each) => each.version).join(', ')
    throw new BrokerUnavailable(broker, `version ${version} is not packaged`, `ask for one of ${list}`)
  }
  const folder = await cached(`${broker}-${known.suite}`, (into) => fetch(wanted, known.suite, into))
  const unpacked = await readFile(path.join(folder, 'version'), 'utf8')
  return { command: path.join(folder, 'program'), version: unpacked.trim() }
}

async function fetch(wanted: DebianProgram, suite: string, into: string): Promise<void> {
  const { broker } = wanted
  const remedy = `set RPC_TRANSPORT_URL or NOTIFY_TRANSPORT_URL to a ${broker}:// URL of a server that is there`
  for (const command of ['bash', 'apt-get', 'dpkg-deb']) {
    if ((await findCommand(command)) !== undefined) continue
    throw new BrokerUnavailable(broker, `${command} is missing, so packages cannot be unpacked`, remedy)
  }
  const started = performance.now()
  progress(`fetching ${wanted.package} from Debian ${suite} into ${into} (about 10 MB, once)`)
  const result = await run('bash', [recipe('program-fetch.sh'), suite, into, wanted.program, wanted.package], {
    tied: true,
    onLine: (line) => {
      if (line.startsWith('progress: ')) progress(`${broker} (${suite}): ${line.slice('progress: '.length)}`)
    },
  })
  if (result.code !== 0) {
    const reason = result.stderr.trim().split('\n').slice(-2).join(' ') || `program-fetch.sh ended with ${result.code}`
    throw new BrokerUnavailable(broker, `its package could not be unpacked (${reason})`, remedy)
  }
  progress(`${broker} (${suite}): ready in the cache after ${Math.round((performance.now() - started) / 1000)} s`)
}
