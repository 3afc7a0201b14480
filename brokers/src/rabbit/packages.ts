import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { cached } from '../cache.ts'
import { BrokerUnavailable } from '../errors.ts'
import { recipe } from '../recipes.ts'
import { findCommand, progress, run } from '../run.ts'

/** RabbitMQ versions that Debian's suites carry; the first one is the default. sid moves on. */
const RABBIT_VERSIONS: readonly { readonly version: string; readonly suite: string }[] = [
  { version: '3.10.8', suite: 'bookworm' },
  { version: '4.0.5', suite: 'trixie' },
  { version: '4.3.6', suite: 'sid' },
]

export interface RabbitPackages {
  /** Root of the unpacked packages: `usr/lib/rabbitmq`, `usr/lib/erlang`. */
  readonly root: string
  /** As the package says. */
  readonly version: string
}

const REMEDY = 'start Docker, or set RPC_TRANSPORT_URL to a rabbit:// URL of a broker that is there'

/** Unpacks the version (`3.10`, `4.0.5`) into the cache, or finds it there. Rejects with BrokerUnavailable when this
 *  machine cannot: no apt, another processor than the packages are for, no mirror with that suite. */
export async function rabbitPackages(version = '3.10.8'): Promise<RabbitPackages> {
  const known = RABBIT_VERSIONS.find((each) => each.version === version || each.version.startsWith(`${version}.`))
  if (known === undefined) {
    const versions = RABBIT_VERSIONS.map((each) => each.version).join(', ')
    throw new BrokerUnavailable('rabbit', `version ${version} is not packaged`, `ask for one of ${versions}`)
  }
  const folder = await cached(`rabbit-${known.suite}`, (into) => fetch(known.suite, into))
  const unpacked = await readFile(path.join(folder, 'version'), 'utf8')
  return { root: path.join(folder, 'root'), version: unpacked.trim() }
}

async function fetch(suite: string, into: string): Promise<void> {
  for (const command of ['bash', 'apt-get', 'dpkg-deb']) {
    if ((await findCommand(command)) !== undefined) continue
    throw new BrokerUnavailable('rabbit', `${command} is missing, so packages cannot be unpacked`, REMEDY)
  }
  const started = performance.now()
  progress(`fetching RabbitMQ from Debian ${suite} into ${into} (about 60 MB, once)`)
  const result = await run('bash', [recipe('rabbit-fetch.sh'), suite, into], {
    tied: true,
    onLine: (line) => {
      if (line.startsWith('progress: ')) progress(`rabbit (${suite}): ${line.slice('progress: '.length)}`)
    },
  })
  if (result.code !== 0) {
    const reason = result.stderr.trim().split('\n').slice(-2).join(' ') || `rabbit-fetch.sh ended with ${result.code}`
    throw new BrokerUnavailable('rabbit', `its packages could not be unpacked (${reason})`, REMEDY)
  }
  progress(`rabbit (${suite}): ready in the cache after ${Math.round((performance.now() - started) / 1000)} s`)
}
