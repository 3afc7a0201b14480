// Writes packages/core/surface.txt: everything that the doors of core show, as the compiler declares it, without
// comments. `--check` writes nothing and fails when the file says something else, or changed without a changeset.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'packages/core/dist')
const file = 'packages/core/surface.txt'
const DOORS = [
  ['@oslo-messaging/core, for applications and operators', 'index.d.ts'],
  ['@oslo-messaging/core/driver, for driver authors', 'driver.d.ts'],
  ['@oslo-messaging/core/testing, for tests', 'testing.d.ts'],
]

const paths = DOORS.map(([, name]) => join(dist, name))
const program = ts.createProgram(paths, { skipLibCheck: true, module: ts.ModuleKind.NodeNext, types: [] })
const checker = program.getTypeChecker()
const printer = ts.createPrinter({ removeComments: true })
const isOurs = (symbol) =>
  symbol.declarations?.some((each) => !relative(dist, each.getSourceFile().fileName).startsWith('..')) === true

function resolved(symbol) {
  return (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol
}

/** What stands for the symbol in a declaration file: a variable alone is less than its statement. */
function statementOf(declaration) {
  return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
}

function textOf(symbol) {
  const statements = [...new Set(symbol.declarations.map(statementOf))]
  return (
    statements
      .map((each) => printer.printNode(ts.EmitHint.Unspecified, each, each.getSourceFile()))
      .join('\n')
      .replaceAll(/\bexport (?:declare )?/g, '')
      .replaceAll(/^declare /gm, '')
      // Which file of core a type comes from is no promise.
      .replaceAll(/import\("[^"]*"\)\./g, '')
      .split('\n')
      // Nor is the wording of an option's help.
      .filter((line) => !/^\s*(?:private |#private;|readonly doc: )/.test(line))
      .join('\n')
  )
}

/** Types of ours that the text of a symbol names and that no door exports. */
function reachedFrom(symbol, found) {
  const visit = (node) => {
    const named = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
    const target = named && resolved(named)
    const isType = target !== undefined && (target.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Variable)) !== 0
    const isTop = target?.declarations?.some((each) => ts.isSourceFile(statementOf(each).parent)) === true
    if (isType && isTop && isOurs(target) && !found.has(target)) {
      found.add(target)
      reachedFrom(target, found)
    }
    ts.forEachChild(node, visit)
  }
  for (const declaration of symbol.declarations ?? []) visit(statementOf(declaration))
}

const byName = (one, other) => (one[0] < other[0] ? -1 : 1)
const exported = new Set()
const reached = new Set()
const sections = DOORS.map(([title], index) => {
  const module = checker.getSymbolAtLocation(program.getSourceFile(paths[index]))
  const symbols = checker.getExportsOfModule(module).map((each) => [each.name, resolved(each)])
  const texts = symbols.sort(byName).map(([name, symbol]) => {
    const isKnown = exported.has(symbol)
    exported.add(symbol)
    if (isKnown) return `${name}: as above`
    return symbol.name === name ? textOf(symbol) : `${name}: another name of ${symbol.name}`
  })
  return `## ${title}\n\n${texts.join('\n\n')}\n`
})
for (const symbol of exported) reachedFrom(symbol, reached)
const inner = [...reached].filter((symbol) => !exported.has(symbol)).map((symbol) => [symbol.name, textOf(symbol)])
sections.push(
  `## Behind the doors: what the declarations above name\n\n${inner
    .sort(byName)
    .map(([, text]) => text)
    .join('\n\n')}\n`,
)
const text = `The surface of core: written by scripts/door-surface.mjs, compared by CI. A change of it needs a changeset in the same commit.\n\n${sections.join('\n')}`

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n')
const isChangeset = (name) => /^\.changeset\/[^/]+\.md$|CHANGELOG\.md$/.test(name)

/** Whether whoever changed the file last, here or in a commit, said so in a changeset. */
function isAnnounced() {
  if (!existsSync(join(root, '.git'))) return true
  const open = git('status', '--porcelain', '--untracked-files=all').map((line) => line.slice(3))
  if (open.includes(file)) return open.some(isChangeset)
  const [last] = git('log', '-1', '--format=%H', '--', file)
  if (last === '' || git('rev-parse', '--is-shallow-repository')[0] === 'true') return true
  return git('show', '--name-only', '--format=', last).some(isChangeset)
}

if (!process.argv.includes('--check')) writeFileSync(join(root, file), text)
else {
  const complaints = []
  const before = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''
  if (before !== text) {
    const [was, is] = [before.split('\n'), text.split('\n')]
    const at = is.findIndex((line, index) => line !== was[index])
    complaints.push(
      `${file} is not what the doors show, first in line ${at + 1}:\n- ${was[at] ?? ''}\n+ ${is[at] ?? ''}`,
    )
    complaints.push('Run node scripts/door-surface.mjs after a build, and write a changeset for whoever uses the door.')
  }
  if (!isAnnounced()) complaints.push(`${file} changed without a changeset in the same commit: pnpm changeset`)
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length === 0) console.log(`${exported.size} symbols stand in the doors as ${file} says`)
  process.exitCode = complaints.length === 0 ? 0 : 1
}
