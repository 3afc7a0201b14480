import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNPM, publicPackages, root, tool } from './tools.mjs'

/** Where the tarballs are that an earlier process has packed. */
export const TARBALLS = 'OSLO_MESSAGING_CI_TARBALLS'

let packing

/** Tarballs of all published packages by their name, packed once, as they would be published. They are removed when the
 *  process ends. */
export function tarballs() {
  packing ??= pack()
  return packing
}

async function pack() {
  const given = process.env[TARBALLS]
  if (given !== undefined) return packedIn(given, root)
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-tarballs-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return await packInto(folder)
}

/** Packs the published packages of a tree that has been built, and resolves with the tarballs by name. */
export async function packInto(folder, tree = root) {
  const chosen = publicPackages(tree).flatMap(({ manifest }) => ['--filter', manifest.name])
  const options = { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] }
  await tool('npx', ['-y', PNPM, ...chosen, '-r', 'pack', '--pack-destination', folder], options)
  return packedIn(folder, tree)
}

function packedIn(folder, tree) {
  const files = readdirSync(folder)
  return new Map(
    publicPackages(tree).map(({ manifest: { name, version } }) => {
      const file = `${fileNameOf(name)}-${version}.tgz`
      if (!files.includes(file)) throw new Error(`${file} was not packed`)
      return [name, join(folder, file)]
    }),
  )
}

/** A package's name as its files are named: without the signs that a file cannot have. */
export function fileNameOf(name) {
  return name.replace('@', '').replace('/', '-')
}
