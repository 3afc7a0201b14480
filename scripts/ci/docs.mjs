import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { tarballs } from './tarballs.mjs'
import { bin, filesBelow, packagesIn, root, verdict } from './tools.mjs'

/** Where blocks are compiled: inside the workspace, so that types of Node are found, and ignored by git. */
const FOLDER = join('node_modules', '.docs-check')
const FENCE = /^(\s*)```(\w+)?(.*)$/

/** Programs in the words of another library, which have no types to be compiled by: a test runs them. */
const FOREIGN = /\bruns \w+-(?:before|back)\b/

/** Every ts and js block of README, docs and the packages' own README files compiles against the packages as they are
 *  published. A block whose fence says `continues` goes on from the blocks before it in the same file. */
export async function checkDocs() {
  const documents = [
    ...['README.md', 'CONTRIBUTING.md', 'UPGRADING.md'].filter((file) => existsSync(join(root, file))),
    ...filesBelow('docs', ['.md']),
    ...filesBelow('packages', ['README.md']),
    ...filesBelow('examples', ['README.md']),
  ]
  rmSync(join(root, FOLDER), { recursive: true, force: true })
  mkdirSync(join(root, FOLDER), { recursive: true })
  linkDependencies()
  let count = 0
  for (const document of documents) {
    for (const { name, text } of blocksOf(document)) {
      writeFileSync(join(root, FOLDER, name), text)
      count += 1
    }
  }
  if (count === 0) return verdict([], 'no code blocks')
  writeFileSync(join(root, FOLDER, 'tsconfig.json'), JSON.stringify(settings(unpack(await tarballs())), null, 2))
  console.log(`${count} blocks of ${documents.length} documents (errors: file and line are those of the document)`)
  return await bin('tsc', '-p', join(root, FOLDER, 'tsconfig.json'))
}

/** What packages depend on, and the frameworks that they plug into, are installed beside them: here they are found,
 *  too. */
function linkDependencies() {
  for (const { folder, manifest } of packagesIn('packages')) {
    for (const name of Object.keys({
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.devDependencies,
    })) {
      const [from, to] = [join(root, folder, 'node_modules', name), join(root, FOLDER, 'node_modules', name)]
      if (name.startsWith('@oslo-messaging/') || name.startsWith('@types/') || existsSync(to)) continue
      mkdirSync(dirname(to), { recursive: true })
      symlinkSync(from, to, 'dir')
    }
  }
}

/** One file for each block. Blank lines stand in for the rest of the document, so the compiler's line numbers are the
 *  document's. */
function blocksOf(document) {
  const lines = readFileSync(join(root, document), 'utf8').split('\n')
  const blocks = []
  let before = lines.map(() => '')
  let current
  for (const [index, line] of lines.entries()) {
    const fence = FENCE.exec(line)
    if (current === undefined) {
      if (fence === null) continue
      const [, , language, rest = ''] = fence
      const foreign = language === 'js' && FOREIGN.test(rest)
      const kinds = { ts: 'ts', typescript: 'ts', js: 'mjs', javascript: 'mjs', mjs: 'mjs' }
      const kind = foreign ? undefined : kinds[language]
      const base = /\bcontinues\b/.test(rest) ? [...before] : lines.map(() => '')
      current = { kind, text: base, line: index + 1 }
    } else if (fence !== null && fence[2] === undefined) {
      if (current.kind !== undefined) {
        before = current.text
        const name = `${relative('.', document).replaceAll(/[\\/]/g, '__')}.${current.line}.${current.kind}`
        // A module, so that `await` works at the top and blocks do not see each other's names.
        blocks.push({ name, text: `${current.text.join('\n')}\nexport {}\n` })
      }
      current = undefined
    } else current.text[index] = line
  }
  if (current !== undefined) throw new Error(`${document}: the fence of line ${current.line} is never closed`)
  return blocks.map(({ name, text }, index) => ({ name, text: withNeighbours(text, blocks.slice(0, index)) }))
}

const NEIGHBOUR = /import \{ (?:type )?(\w+)[^}]*\} from '(\.\/[\w-]+\.ts)'/g

/** A page that shows a file and then imports it, as `./file.ts`, means the earlier block that exports that name. */
function withNeighbours(text, earlier) {
  return text.replaceAll(NEIGHBOUR, (statement, symbol, path) => {
    const exporter = earlier.find((block) =>
      new RegExp(`export (?:const|class|function) ${symbol}\\b`).test(block.text),
    )
    return exporter === undefined ? statement : statement.replace(path, `./${exporter.name}`)
  })
}

/** The packages of tarballs, as `{ folder, manifest }`. */
function unpack(packed) {
  return [...packed].map(([name, tarball]) => {
    const folder = join(root, FOLDER, 'packages', name)
    mkdirSync(folder, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'])
    return { folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }
  })
}

/** Strict, against the declarations in the packages, found by the names applications use. Examples are not published:
 *  what a page shows of them compiles against what was built. */
function settings(published) {
  const built = packagesIn('examples').map(({ folder, manifest }) => ({ folder: join(root, folder), manifest }))
  const paths = {}
  for (const { folder, manifest } of [...published, ...built]) {
    for (const [door, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target === 'object') paths[join(manifest.name, door)] = [join(folder, target.types)]
    }
  }
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      paths,
      typeRoots: ['../@types'],
      noEmit: true,
      composite: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      allowImportingTsExtensions: true,
      experimentalDecorators: true,
      allowJs: true,
      checkJs: true,
      rewriteRelativeImportExtensions: false,
    },
    include: ['*'],
    exclude: [],
  }
}
