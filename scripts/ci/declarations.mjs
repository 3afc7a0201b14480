import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { importsOf, publicPackages, root, verdict } from './tools.mjs'

/** Client libraries whose types an application must never see. */
const HIDDEN = /^(?:@types\/)?(?:amqplib|kafkajs|rhea)(?:\/|$)/

/** Follows the declarations from every door of every public package: none that is reached may name a client library. */
export function checkDeclarations() {
  const complaints = []
  let count = 0
  for (const { folder, manifest } of publicPackages()) {
    const seen = new Set()
    const visit = (file) => {
      if (seen.has(file)) return
      seen.add(file)
      if (!existsSync(file)) {
        complaints.push(`${relative(root, file)} does not exist: a door without declarations, or no build`)
        return
      }
      for (const name of importsOf(readFileSync(file, 'utf8'))) {
        if (HIDDEN.test(name)) complaints.push(`${relative(root, file)} shows ${name}`)
        else if (name.startsWith('.')) visit(join(dirname(file), name.replace(/\.(?:ts|js)$/, '.d.ts')))
      }
    }
    for (const door of Object.values(manifest.exports)) {
      if (typeof door === 'object') visit(join(root, folder, door.types))
    }
    count += seen.size
  }
  return verdict(complaints, `${count} declaration files are reachable; none shows a client library`)
}
