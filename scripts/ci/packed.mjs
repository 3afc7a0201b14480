import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, root, tool } from './tools.mjs'

/** Packs one package as it would be published and lets publint and attw judge the tarball. */
export async function checkPacked(folder) {
  const to = mkdtempSync(join(tmpdir(), 'oslo-messaging-pack-'))
  try {
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const options = { cwd: join(root, folder), stdio: ['ignore', 'ignore', 'inherit'] }
    await tool('npx', ['-y', packageManager, 'pack', '--pack-destination', to], options)
    const tarball = join(to, readdirSync(to)[0])
    await bin('publint', 'run', '--strict', tarball)
    return await bin('attw', '--profile', 'esm-only', tarball)
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}
