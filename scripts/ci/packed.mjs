import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, root, tool } from './tools.mjs'

/** Packs one package as it would be published and lets publint judge the tarball, and attw its types where it has code. */
export async function checkPacked(folder, { exports: doors }) {
  const to = mkdtempSync(join(tmpdir(), 'oslo-messaging-pack-'))
  try {
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const options = { cwd: join(root, folder), stdio: ['ignore', 'ignore', 'inherit'] }
    await tool('npx', ['-y', packageManager, 'pack', '--pack-destination', to], options)
    const tarball = join(to, readdirSync(to)[0])
    const isData = Object.keys(doors).every((door) => /\.(json|md)$/.test(door))
    const verdict = await bin('publint', 'run', '--strict', tarball)
    if (isData) return verdict
    // Declarations for `require` stand before an ES module, which Node 20.19 requires and attw does not know of: the step
    // "compilers and bundlers of applications" compiles and runs such programs instead.
    const isRequired = Object.values(doors).some((door) => typeof door === 'object' && 'require' in door)
    return await bin('attw', tarball, '--profile', 'esm-only', ...(isRequired ? ['--ignore-rules', 'false-cjs'] : []))
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}
