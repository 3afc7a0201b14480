// Writes interop/vectors/index.json: what each file is, and its checksum. `--check` only says whether it is up to date.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const FOLDER = new URL('../vectors/', import.meta.url)
const INDEX = new URL('index.json', FOLDER)

/** The text of the index as it must be for the files that are there. */
export function indexText() {
  const files = readdirSync(FOLDER).filter((name) => /^[a-z][a-z0-9]*-.*\.json$/.test(name))
  const vectors = files.toSorted().map((file) => {
    const bytes = readFileSync(new URL(file, FOLDER))
    const { id, driver, operation, about, provenance } = JSON.parse(bytes.toString('utf8'))
    return {
      file,
      id,
      family: file.split('-')[0],
      ...(driver === undefined ? {} : { driver }),
      operation: operation ?? about,
      library: provenance.library,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }
  })
  return `${JSON.stringify({ schema: 1, vectors }, null, 1)}\n`
}

/** The index as it is. */
export function currentIndex() {
  return readFileSync(INDEX, 'utf8')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = indexText()
  if (!process.argv.includes('--check')) writeFileSync(INDEX, text)
  else if (text !== currentIndex()) {
    console.error('interop/vectors/index.json is out of date: node interop/golden/index-vectors.mjs writes it')
    process.exitCode = 1
  }
}
