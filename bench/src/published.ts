import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
const script = fileURLToPath(new URL('../../scripts/publish-folder.mjs', import.meta.url))

/** Puts packages of this workspace into a folder as npm would install what is published of them, each once and with
 *  what it depends on. `names` are those of their folders. */
export function installPublished(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const from = join(packages, name)
    const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {
      readonly name: string
      readonly dependencies?: Readonly<Record<string, string>>
    }
    execFileSync(process.execPath, [script, join(folder, 'node_modules', manifest.name)], { cwd: from })
    for (const dependency of Object.keys(manifest.dependencies ?? {})) linkPackage(folder, dependency, from)
  }
}

/** Lets the folder find a package that is installed for another one. */
function linkPackage(folder: string, name: string, from: string): void {
  const to = join(folder, 'node_modules', name)
  mkdirSync(dirname(to), { recursive: true })
  symlinkSync(realpathSync(join(from, 'node_modules', name)), to, 'dir')
}
