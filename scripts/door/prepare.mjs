import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute, executeNode, ExpectedError, interruptedBy, root } from './processes.mjs'

const STAMP = join(root, 'node_modules', '.installed')

const say = (text) => console.error(`> ${text}`)

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Everything an installation depends on, as one hash: lockfile, settings and every package.json of the workspace. */
function wantedInstallation() {
  const hash = createHash('sha256').update(process.versions.modules)
  const folders = ['.', 'brokers', 'interop', 'interop/vectors', 'bench', 'certify', 'site']
  for (const parent of ['packages', 'examples']) {
    for (const name of readdirSync(join(root, parent))) folders.push(join(parent, name))
  }
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...folders.map((folder) => join(folder, 'package.json'))]
  for (const file of files) {
    const path = join(root, file)
    if (existsSync(path)) hash.update(file).update(readFileSync(path))
  }
  return hash.digest('hex')
}

/** Installs what the lockfile names, with the pnpm that package.json pins. Does nothing when that was done before. */
async function install() {
  const wanted = wantedInstallation()
  const isInstalled = existsSync(join(root, 'node_modules', '.modules.yaml'))
  if (isInstalled && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  const { packageManager } = readJson(join(root, 'package.json'))
  say(`installing with ${packageManager}`)
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
  const args = ['-y', packageManager, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false']
  const code = await execute(npx, args)
  if (code !== 0) {
    if (interruptedBy() !== undefined) return
    throw new ExpectedError(`Installing failed (exit code ${code}); the lines above say why.`)
  }
  writeFileSync(STAMP, wanted)
}

/** Compiles what has changed since the last time. */
async function build() {
  const started = Date.now()
  const code = await executeNode(join(root, 'node_modules/@typescript/native/bin/tsc'), ['-b'])
  if (code !== 0 && interruptedBy() === undefined)
    throw new ExpectedError(`The build failed (exit code ${code}); the lines above say where.`)
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** Brings a fresh clone, or a changed tree, to where everything can run. */
export async function prepare() {
  await install()
  if (interruptedBy() === undefined) await build()
}
