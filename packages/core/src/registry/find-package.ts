import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A package found in a `node_modules` folder. */
export interface InstalledPackage {
  readonly name: string
  readonly folder: string
  readonly manifest: Readonly<Record<string, unknown>>
}

/** Looks for a package in the `node_modules` of each folder and of those above it; a package also finds itself, as in
 *  Node's own search.
 *  A symbolic link is also followed to where it leads, so that a program started through its link finds what is
 *  installed beside it. */
export function findPackage(name: string, folders: readonly string[]): InstalledPackage | undefined {
  for (const start of folders) {
    for (const origin of new Set([start, existsSync(start) ? realpathSync(start) : start])) {
      for (let folder = origin; ; folder = dirname(folder)) {
        const found = readPackage(name, join(folder, 'node_modules', name))
        if (found !== undefined) return found
        const itself = readOwnPackage(name, folder)
        if (itself !== undefined) return itself
        if (dirname(folder) === folder) break
      }
    }
  }
  return undefined
}

function readPackage(name: string, folder: string): InstalledPackage | undefined {
  const file = join(folder, 'package.json')
  // No such file: not installed here, look further up.
  if (!existsSync(file)) return undefined
  return { name, folder, manifest: JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> }
}

/** The package of the folder itself, if it is that one. */
function readOwnPackage(name: string, folder: string): InstalledPackage | undefined {
  try {
    const itself = readPackage(name, folder)
    return itself?.manifest['name'] === name ? itself : undefined
  } catch {
    // A broken package.json above is none of our business.
    return undefined
  }
}

/** The file that `import` of the package would load. `require.resolve` cannot tell: it refuses packages that can only
 *  be imported. */
export function packageEntry({ folder, manifest }: InstalledPackage): string | undefined {
  const { exports, main } = manifest
  const isSubpaths = typeof exports === 'object' && exports !== null && '.' in exports
  const target =
    exports === undefined
      ? typeof main === 'string'
        ? main
        : 'index.js'
      : pickTarget(isSubpaths ? exports['.'] : exports)
  return target === undefined ? undefined : join(folder, target)
}

/** The first target whose condition holds for an import in Node.js, as the order of the keys says. */
function pickTarget(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) return target.map(pickTarget).find((each) => each !== undefined)
  if (typeof target !== 'object' || target === null) return undefined
  for (const [condition, value] of Object.entries(target)) {
    const picked = CONDITIONS.has(condition) ? pickTarget(value) : undefined
    if (picked !== undefined) return picked
  }
  return undefined
}

const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default'])
