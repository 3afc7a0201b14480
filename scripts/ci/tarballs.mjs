import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publicPackages, root, tool } from './tools.mjs'

/** Where the tarballs are that an earlier process has packed. */
export const TARBALLS = 'OSLO_MESSAGING_CI_TARBALLS'

let packing

/** Tarballs of all published packages by their name, packed once, as they would be published. They are removed when the process ends. */
export function tarballs() {
  packing ??= pack()
  return packing
}

async function pack() {
  const given = process.env[TARBALLS]
  const folder = given ?? mkdtempSync(join(tmpdir(), 'oslo-messaging-tarballs-'))
  if (given === undefined) {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const chosen = publicPackages().flatMap(({ manifest }) => ['--filter', manifest.name])
    await tool('npx', ['-y', packageManager, ...chosen, '-r', 'pack', '--pack-destination', folder], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  const files = readdirSync(folder)
  return new Map(
    publicPackages().map(({ manifest: { name, version } }) => {
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
      if (!files.includes(file)) throw new Error(`${file} was not packed`)
      return [name, join(folder, file)]
    }),
  )
}
