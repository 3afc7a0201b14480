import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { publicPackages, root, verdict } from './tools.mjs'

/** Licences that go into an Apache-2.0 program without conditions beyond naming their authors. */
const LICENCES = new Set([
  'Apache-2.0',
  'MIT',
  '(MIT AND Zlib)',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'CC0-1.0',
  'Unlicense',
  'BlueOak-1.0.0',
])

/** Client libraries and their like: pinned to one version, with the reason, and what a fix of theirs needs from us. */
const PINNED = {
  amqplib: 'the driver reads frames past it, by fields that are checked when a connection opens (ADR 14, 35)',
  rhea: 'the driver keeps sessions past it, by fields that are checked when a connection opens (ADR 30)',
  kafkajs: 'the driver patches it in one place, each patch checked before it is applied (kafkajs/patches/README.md)',
}

const PAGE = join(root, 'docs/dependencies.md')
const HOOKS = ['preinstall', 'install', 'postinstall']

/** What an installation of the published packages brings: each package has a licence that is allowed and no install
 *  script, and stands on docs/dependencies.md. */
export function checkSupplyChain({ write = false } = {}) {
  const found = packagesThatCome()
  const complaints = []
  for (const { name, version, license, scripts, users } of found) {
    if (!LICENCES.has(license))
      complaints.push(`${name} ${version} (for ${users.join(', ')}): licence ${license} is not allowed`)
    const hooks = HOOKS.filter((hook) => scripts?.[hook] !== undefined)
    if (hooks.length > 0)
      complaints.push(
        `${name} ${version} (for ${users.join(', ')}) runs code when it is installed: ${hooks.join(', ')}`,
      )
  }
  for (const { manifest } of publicPackages()) {
    for (const [name, range] of Object.entries(manifest.dependencies ?? {}))
      if (name in PINNED && !/^\d/.test(range))
        complaints.push(`${manifest.name} takes ${name} ${range}: pin one version (${PINNED[name]})`)
  }
  for (const { manifest } of publicPackages()) {
    for (const [name, range] of Object.entries(manifest.peerDependencies ?? {})) {
      // A minor of core would be out of `^0.1.0`, and make a major of every package that has it as a peer.
      if (name.startsWith('@oslo-messaging/') && range !== 'workspace:>=0.1.0 <1.0.0')
        complaints.push(`${manifest.name} takes ${name} ${range} as a peer: write workspace:>=0.1.0 <1.0.0`)
    }
  }
  const page = pageOf(found)
  if (write) writeFileSync(PAGE, page)
  else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page)
    complaints.push('docs/dependencies.md does not say what is installed: run node scripts/generate-dependencies.mjs')
  return verdict(
    complaints,
    `${found.length} packages come with ours: licences are allowed, nothing runs when it is installed`,
  )
}

/** What an installation of all published packages brings beside themselves. */
export function packagesThatCome() {
  const found = new Map()
  for (const { folder, manifest } of publicPackages()) collect(join(root, folder), manifest, [manifest.name], found)
  return [...found.values()]
}

function collect(folder, manifest, path, found) {
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (name.startsWith('@oslo-messaging/')) continue
    const { at, manifest: each } = installed(folder, name)
    const key = `${name} ${each.version}`
    const known = found.get(key)
    if (known !== undefined) {
      if (!known.users.includes(path[0])) known.users.push(path[0])
      continue
    }
    const license =
      typeof each.license === 'string' ? each.license : (each.license?.type ?? each.licenses?.[0]?.type ?? 'unknown')
    found.set(key, { name, version: each.version, license, scripts: each.scripts, users: [path[0]] })
    collect(at, each, path, found)
  }
}

/** The package that `folder` gets for a name. */
function installed(folder, name) {
  const require = createRequire(join(realpathSync(folder), 'package.json'))
  for (const parent of require.resolve.paths(name) ?? []) {
    const at = join(parent, name)
    if (existsSync(join(at, 'package.json'))) {
      const real = realpathSync(at)
      return { at: real, manifest: JSON.parse(readFileSync(join(real, 'package.json'), 'utf8')) }
    }
  }
  throw new Error(`${name} is not installed for ${dirname(folder)}`)
}

function pageOf(found) {
  const rows = found
    .toSorted((one, other) => one.name.localeCompare(other.name))
    .map(
      ({ name, version, license, users }) =>
        `| ${name} | ${version} | ${license} | ${users.map((user) => user.replace('@oslo-messaging/', '')).join(', ')} |`,
    )
  const pinned = Object.entries(PINNED).map(([name, reason]) => `| ${name} | ${reason} |`)
  return `# Dependencies

Written by \`node scripts/generate-dependencies.mjs\`; CI compares it with what is installed. Optional peers (codecs of Kafka, pino and the like) are the application's own choice and not listed.

| package | version | licence | comes with |
|---|---|---|---|
${rows.join('\n')}

None of them runs code when it is installed. Licences that are allowed: ${[...LICENCES].join(', ')}.

## Pinned

These are pinned to one version. A fix of theirs is taken by raising the version here: the checks at connect and the tests of that driver say whether the fields still have their shape, then a patch of the driver is released.

| package | why |
|---|---|
${pinned.join('\n')}
`
}
