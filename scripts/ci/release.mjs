import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LINES, linesOf, nodeOf } from '../door/matrix.mjs'
import { ExpectedError } from '../door/processes.mjs'
import { checkTarball } from './packed.mjs'
import { install, openDoors } from './stranger.mjs'
import { fileNameOf, packInto } from './tarballs.mjs'
import { PNPM, publicPackages, root, tool } from './tools.mjs'

const USAGE = 'npm run release -- --dry-run [--out FOLDER] [--node 20,22,24,26]'
const OPTIONS = { 'dry-run': { type: 'boolean' }, out: { type: 'string' }, node: { type: 'string' } }
const SBOM = '@cyclonedx/cyclonedx-npm@6.0.1'

/** Most bytes of a tarball, by package: one that grows past it has to be argued for. Others may have DEFAULT_BYTES. */
const BUDGET = {
  '@oslo-messaging/core': 700_000,
  '@oslo-messaging/vectors': 900_000,
  '@oslo-messaging/openstack': 400_000,
}
const DEFAULT_BYTES = 450_000

/**
 * Goes through a release without publishing: versions and changelogs from the changesets, a build, tarballs and their
 * checks, an installation on each line of Node, and a bill of materials.
 *
 * Nothing of this tree is changed; what was made stays in `--out`. Publishing is for the workflow, which has the
 * identity that registries trust.
 */
export async function release(args) {
  const { out, lines } = read(args)
  const status = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  if (status !== '')
    throw new ExpectedError(`A release is made of what is committed, and this is not:\n${status.trimEnd()}`)
  const work = mkdtempSync(join(tmpdir(), 'oslo-messaging-release-'))
  const [tree, app] = [join(work, 'tree'), join(work, 'app')]
  try {
    mkdirSync(app)
    await quietly('git', ['clone', '-q', '--no-hardlinks', root, tree], work)
    const before = new Map(publicPackages(tree).map(({ manifest: { name, version } }) => [name, version]))
    await version(tree)
    const packages = publicPackages(tree)
    refuseMajors(packages, before)
    await quietly('npx', ['-y', PNPM, 'install', '--prefer-offline', '--no-frozen-lockfile', '--silent'], tree)
    await quietly(process.execPath, [join(tree, 'node_modules/@typescript/native/bin/tsc'), '-b'], tree)
    const tarballs = await packInto(out, tree)
    for (const { folder, manifest } of packages) {
      const changelog = join(tree, folder, 'CHANGELOG.md')
      if (existsSync(changelog))
        writeFileSync(join(out, `${fileNameOf(manifest.name)}-CHANGELOG.md`), readFileSync(changelog))
    }
    for (const { manifest } of packages) await check(manifest, tarballs.get(manifest.name))
    await install(app, tarballs)
    for (const line of lines) await openDoors(app, packages, await nodeOf(line))
    await quietly('npx', ['-y', SBOM, '--omit', 'dev', '--output-file', join(out, 'sbom.cdx.json')], app)
    print(packages, before, tarballs)
    console.log(`\nTarballs, changelogs and the bill of materials are in ${out}. Nothing was published.`)
    return 0
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function read(args) {
  let values
  try {
    values = parseArgs({ args, options: OPTIONS }).values
  } catch (error) {
    throw new ExpectedError(`${error.message}\n${USAGE}`)
  }
  if (values['dry-run'] !== true)
    throw new ExpectedError(
      `Packages are published by .github/workflows/release.yml alone; here a release can be tried.\n${USAGE}`,
    )
  const lines = values.node === undefined ? LINES : linesOf(values.node)
  if (values.out === undefined) return { out: mkdtempSync(join(tmpdir(), 'oslo-messaging-release-of-')), lines }
  const out = resolve(process.env.INIT_CWD ?? root, values.out)
  mkdirSync(out, { recursive: true })
  return { out, lines }
}

function quietly(command, args, cwd) {
  return tool(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** changesets resolves its own parts from the tree that it works on, which has nothing installed yet. */
async function version(tree) {
  const link = join(tree, 'node_modules')
  symlinkSync(join(root, 'node_modules'), link)
  await quietly(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], tree)
  rmSync(link)
}

function refuseMajors(packages, before) {
  for (const { manifest } of packages) {
    const was = before.get(manifest.name)
    if (was.startsWith('0.') && !manifest.version.startsWith('0.'))
      throw new ExpectedError(
        `${manifest.name} would go from ${was} to ${manifest.version}: a peer range is too narrow, or a changeset says major`,
      )
  }
}

async function check(manifest, file) {
  await checkTarball(manifest, file)
  const { name } = manifest
  const { size } = statSync(file)
  const most = BUDGET[name] ?? DEFAULT_BYTES
  if (size > most)
    throw new ExpectedError(
      `${name} is ${size} bytes, more than its ${most}: make it smaller, or argue for a new budget in scripts/ci/release.mjs`,
    )
}

function print(packages, before, tarballs) {
  console.log(`\n${'package'.padEnd(36)} ${'was'.padEnd(8)} ${'becomes'.padEnd(8)} ${'bytes'.padStart(8)}`)
  for (const { manifest } of packages) {
    const bytes = String(statSync(tarballs.get(manifest.name)).size)
    const versions = `${before.get(manifest.name).padEnd(8)} ${manifest.version.padEnd(8)}`
    console.log(`${manifest.name.padEnd(36)} ${versions} ${bytes.padStart(8)}`)
  }
}
