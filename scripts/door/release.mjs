import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { LINES, nodeOf } from './matrix.mjs'
import { execute, ExpectedError, root } from './processes.mjs'

const USAGE = 'npm run release -- --dry-run [--out FOLDER] [--node 20,22,24,26]'
const SBOM = '@cyclonedx/cyclonedx-npm@6.0.1'

/** Most bytes of a tarball, by package: one that grows past it has to be argued for. Others may have DEFAULT_BYTES. */
const BUDGET = {
  '@oslo-messaging/core': 700_000,
  '@oslo-messaging/vectors': 900_000,
  '@oslo-messaging/openstack': 400_000,
}
const DEFAULT_BYTES = 450_000

/** Opens every door of every package, both ways. */
const PROGRAM = `
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const doors = JSON.parse(process.argv[2])
for (const door of doors) {
  if (Object.keys(await import(door)).length === 0) throw new Error(door + ' exports nothing')
  if (Object.keys(require(door)).length === 0) throw new Error(door + ' cannot be required')
}
console.log(process.version + ': ' + doors.length + ' doors open')
`

/**
 * Goes through a release without publishing: versions and changelogs from the changesets, a build, tarballs and their checks, an installation on each line of Node, and a bill of materials.
 *
 * Nothing of this tree is changed; what was made stays in `--out`. Publishing itself is for the workflow, which has the identity that registries trust.
 */
export async function release(args) {
  const { out, lines } = read(args)
  const status = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  if (status !== '')
    throw new ExpectedError(`A release is made of what is committed, and this is not:\n${status.trimEnd()}`)
  const work = mkdtempSync(join(tmpdir(), 'oslo-messaging-release-'))
  const tree = join(work, 'tree')
  try {
    await run('git', ['clone', '-q', '--no-hardlinks', root, tree], work)
    const before = versionsOf(tree)
    await version(tree)
    const after = versionsOf(tree)
    for (const [name, { version: becomes }] of after) {
      const was = before.get(name)?.version ?? '0.0.0'
      if (was.startsWith('0.') && !becomes.startsWith('0.'))
        throw new ExpectedError(
          `${name} would go from ${was} to ${becomes}: a peer range is too narrow, or a changeset says major`,
        )
    }
    await run('npx', ['-y', packageManager(), 'install', '--prefer-offline', '--no-frozen-lockfile', '--silent'], tree)
    await run(process.execPath, [join(tree, 'node_modules/@typescript/native/bin/tsc'), '-b'], tree)
    const tarballs = await pack(tree, out, [...after.keys()])
    await check(tarballs)
    await install(tarballs, after, lines, out)
    print(before, after, tarballs)
    console.log(`\nTarballs, changelogs and the bill of materials are in ${out}. Nothing was published.`)
    return 0
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function read(args) {
  const left = args.flatMap((arg) => (arg.startsWith('--') && arg.includes('=') ? arg.split('=', 2) : [arg]))
  const found = { out: undefined, lines: LINES, isDry: false }
  while (left.length > 0) {
    const name = left.shift()
    if (name === '--dry-run') found.isDry = true
    else if (name === '--out' && left.length > 0) found.out = resolve(process.env.INIT_CWD ?? root, left.shift())
    else if (name === '--node' && left.length > 0) found.lines = left.shift().split(',')
    else throw new ExpectedError(`${JSON.stringify(name)} is no option here, or lacks its value.\n${USAGE}`)
  }
  if (!found.isDry)
    throw new ExpectedError(
      `Packages are published by .github/workflows/release.yml alone; here a release can be tried.\n${USAGE}`,
    )
  found.out ??= mkdtempSync(join(tmpdir(), 'oslo-messaging-tarballs-'))
  mkdirSync(found.out, { recursive: true })
  return found
}

function packageManager() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager
}

async function run(command, args, cwd) {
  const code = await execute(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  if (code !== 0) throw new ExpectedError(`${command} ${args.join(' ').slice(0, 200)}: exit code ${code}`)
}

/** changesets resolves its own parts from the tree that it works on. */
async function version(tree) {
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  await run(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], tree)
  rmSync(join(tree, 'node_modules'))
}

/** Versions of the published packages by name. */
function versionsOf(tree) {
  const folders = [...childrenOf(join(tree, 'packages')), join(tree, 'interop/vectors')]
  const found = new Map()
  for (const folder of folders) {
    let manifest
    try {
      manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    } catch (error) {
      if (error.code === 'ENOENT') continue
      throw error
    }
    if (manifest.private !== true) found.set(manifest.name, { version: manifest.version, manifest, folder })
  }
  return found
}

function childrenOf(folder) {
  return readdirSync(folder).map((name) => join(folder, name))
}

async function pack(tree, out, names) {
  const filters = names.flatMap((name) => ['--filter', name])
  await run('npx', ['-y', packageManager(), ...filters, '-r', 'pack', '--pack-destination', out], tree)
  const versions = versionsOf(tree)
  return new Map(
    names.map((name) => {
      const { version, folder } = versions.get(name)
      const prefix = name.replace('@', '').replace('/', '-')
      try {
        writeFileSync(join(out, `${prefix}-CHANGELOG.md`), readFileSync(join(folder, 'CHANGELOG.md')))
      } catch (error) {
        // A package that nothing has changed in has none.
        if (error.code !== 'ENOENT') throw error
      }
      return [name, join(out, `${prefix}-${version}.tgz`)]
    }),
  )
}

async function check(tarballs) {
  for (const [name, file] of tarballs) {
    await run(join(root, 'node_modules/.bin/publint'), ['run', '--strict', file], root)
    const { size } = statSync(file)
    const most = BUDGET[name] ?? DEFAULT_BYTES
    if (size > most)
      throw new ExpectedError(
        `${name} is ${size} bytes, more than its ${most}: make it smaller, or argue for a new budget in scripts/door/release.mjs`,
      )
  }
}

async function install(tarballs, versions, lines, out) {
  const app = mkdtempSync(join(tmpdir(), 'oslo-messaging-installed-'))
  try {
    writeFileSync(
      join(app, 'package.json'),
      '{ "name": "installed", "version": "0.0.0", "type": "module", "private": true }',
    )
    writeFileSync(join(app, 'main.mjs'), PROGRAM)
    await run('npm', ['install', '--no-audit', '--no-fund', '--silent', ...tarballs.values()], app)
    const doors = [...versions].flatMap(([name, { manifest }]) =>
      Object.keys(manifest.exports ?? {})
        .filter((door) => !/\.(json|md|yaml)$/.test(door))
        .map((door) => join(name, door)),
    )
    for (const line of lines) {
      const code = await execute(await nodeOf(line), ['main.mjs', JSON.stringify(doors)], { cwd: app })
      if (code !== 0) throw new ExpectedError(`The packages cannot be used on Node ${line}`)
    }
    await run('npx', ['-y', SBOM, '--omit', 'dev', '--output-file', join(out, 'sbom.cdx.json')], app)
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
}

function print(before, after, tarballs) {
  console.log(`\n${'package'.padEnd(36)} ${'was'.padEnd(8)} ${'becomes'.padEnd(8)} ${'bytes'.padStart(8)}`)
  for (const [name, { version }] of after) {
    const was = before.get(name)?.version ?? '-'
    console.log(
      `${name.padEnd(36)} ${was.padEnd(8)} ${version.padEnd(8)} ${String(statSync(tarballs.get(name)).size).padStart(8)}`,
    )
  }
}
