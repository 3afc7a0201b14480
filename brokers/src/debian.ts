import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { cached } from './cache.ts'
import { BrokerUnavailable } from './errors.ts'
import { recipe } from './recipes.ts'
import { findCommand, progress, run } from './run.ts'

/** A server that is one program of one Debian package. */
export interface DebianProgram {
  /** For messages and the cache; of a broker also the scheme of its URLs. */
  readonly name: 'nats' | 'redis' | 'prometheus'
  readonly package: string
  /** Where the program is inside the unpacked package. */
  readonly program: string
  /** Versions and the suites that carry them; the first one is the default. */
  readonly versions: readonly { readonly version: string; readonly suite: string }[]
  /** Further programs of the package that are wanted, as `program`. */
  readonly also?: readonly string[]
}

/** A program in the cache, ready to run. */
export interface UnpackedProgram {
  readonly command: string
  /** The further programs, in the order in which they were asked for. */
  readonly also: readonly string[]
  /** As the package says. */
  readonly version: string
}

/** Unpacks the version (`2.9`, `7.0.15`) into the cache, or finds it there. Rejects with BrokerUnavailable when this
 *  machine cannot: no apt, another processor than the packages are for, no mirror with that suite. */
export async function unpackedProgram(wanted: DebianProgram, version?: string): Promise<UnpackedProgram> {
  const { name, versions, also = [] } = wanted
  const known = versions.find(
    (each) => version === undefined || each.version === version || each.version.startsWith(`${version}.`),
  )
  if (known === undefined) {
    const list = versions.map((each) => each.version).join(', ')
    throw new BrokerUnavailable(name, `version ${version} is not packaged`, `ask for one of ${list}`)
  }
  const folder = await cached(`${name}-${known.suite}`, (into) => fetch(wanted, known.suite, into))
  const unpacked = await readFile(path.join(folder, 'version'), 'utf8')
  return {
    command: path.join(folder, 'program'),
    also: also.map((program) => path.join(folder, path.basename(program))),
    version: unpacked.trim(),
  }
}

async function fetch(wanted: DebianProgram, suite: string, into: string): Promise<void> {
  const { name, also = [] } = wanted
  const remedy =
    name === 'prometheus'
      ? 'run this on a Debian-like system'
      : `set RPC_TRANSPORT_URL or NOTIFY_TRANSPORT_URL to a ${name}:// URL of a server that is there`
  for (const command of ['bash', 'apt-get', 'dpkg-deb']) {
    if ((await findCommand(command)) !== undefined) continue
    throw new BrokerUnavailable(name, `${command} is missing, so packages cannot be unpacked`, remedy)
  }
  const started = performance.now()
  progress(`fetching ${wanted.package} from Debian ${suite} into ${into} (10 to 25 MB, once)`)
  const words = [recipe('program-fetch.sh'), suite, into, wanted.package, wanted.program, ...also]
  const result = await run('bash', words, {
    tied: true,
    onLine: (line) => {
      if (line.startsWith('progress: ')) progress(`${name} (${suite}): ${line.slice('progress: '.length)}`)
    },
  })
  if (result.code !== 0) {
    const reason = result.stderr.trim().split('\n').slice(-2).join(' ') || `program-fetch.sh ended with ${result.code}`
    throw new BrokerUnavailable(name, `its package could not be unpacked (${reason})`, remedy)
  }
  progress(`${name} (${suite}): ready in the cache after ${Math.round((performance.now() - started) / 1000)} s`)
}
