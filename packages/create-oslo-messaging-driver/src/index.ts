import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const TEMPLATE = fileURLToPath(new URL('../template', import.meta.url))
const NAME = /^[a-z][a-z0-9]*$/
/** npm keeps these out of packages, so they have other names in the template. */
const RENAMED: Readonly<Record<string, string>> = { 'package.json.txt': 'package.json', gitignore: '.gitignore' }

/** Writes the package `oslo-messaging-driver-<name>` into a new folder and resolves to the files, sorted. Rejects with
 *  TypeError for a name that is no URL scheme of lower-case letters and digits, and with Error for a folder that is not
 *  empty. */
export async function createDriver(name: string, folder: string): Promise<readonly string[]> {
  if (!NAME.test(name))
    throw new TypeError(
      `A driver is named like the scheme of its URLs, lower-case letters and digits, mqtt for example; not ${JSON.stringify(name)}`,
    )
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty`)
  await cp(TEMPLATE, folder, { recursive: true })
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: string[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const from = path.join(entry.parentPath, entry.name)
    const to = path.join(entry.parentPath, RENAMED[entry.name] ?? entry.name)
    if (to !== from) await rename(from, to)
    await writeFile(to, fill(await readFile(to, 'utf8'), name))
    files.push(path.relative(folder, to))
  }
  return files.toSorted()
}

function fill(text: string, name: string): string {
  return text.replaceAll('__name__', name).replaceAll('__Name__', `${name[0]?.toUpperCase()}${name.slice(1)}`)
}
