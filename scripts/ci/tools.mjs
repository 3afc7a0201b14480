import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute, ExpectedError, root } from '../door/processes.mjs'

export { root }

const PASSED = { passed: 1, failed: 0 }

/** Runs one tool and passes when it exits with 0. */
export async function tool(command, args, options = {}) {
  const code = await execute(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (code !== 0) throw new ExpectedError(`${[command, ...args].join(' ').slice(0, 200)}: exit code ${code}`)
  return PASSED
}

/** Runs a program of node_modules/.bin. */
export function bin(name, ...args) {
  return tool(join(root, 'node_modules', '.bin', name), args)
}

/** Passes when there are no complaints; prints them otherwise. */
export function verdict(complaints, summary) {
  if (complaints.length > 0) throw new ExpectedError(complaints.join('\n'))
  console.log(summary)
  return PASSED
}

/** Workspace packages under `parent` of a tree, this one by default, as { folder, manifest }. */
export function packagesIn(parent, tree = root) {
  return readdirSync(join(tree, parent))
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(tree, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(tree, folder, 'package.json'), 'utf8')) }))
}

/** The pnpm that everything is installed and packed with. */
export const PNPM = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager

/** Packages that are published: the libraries, and the captured messages, which are data alone. */
export function publicPackages(tree = root) {
  return [...packagesIn('packages', tree), ...packagesIn('interop', tree)].filter(
    ({ manifest }) => manifest.private !== true,
  )
}

const NEVER_ENTERED = new Set(['node_modules', 'dist', 'published', '.git'])

/** Files below `folder` (relative to the root) whose name ends with one of `endings`; paths relative to the root. */
export function filesBelow(folder, endings) {
  const found = []
  if (!existsSync(join(root, folder))) return found
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!NEVER_ENTERED.has(entry.name)) found.push(...filesBelow(path, endings))
    } else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path)
  }
  return found.sort((one, other) => (one < other ? -1 : 1))
}

const SPECIFIER =
  /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\brequire\s*\(\s*|\bresolve\s*\(\s*)['"]([^'"\n]+)['"]|<reference\s+types=["']([^"']+)["']/g

/** Module names a source or declaration file imports, in any form; comments are left out. */
export function importsOf(text) {
  const code = text.replace(/\/\*(?!\*\/)[\s\S]*?\*\//g, '').replace(/^\s*\/\/(?!\/).*$/gm, '')
  return [...code.matchAll(SPECIFIER)].map((match) => match[1] ?? match[2])
}
