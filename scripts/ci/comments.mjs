import { join, relative } from 'node:path'
import { guideOf } from '../../site/src/guides.mjs'
import { publicPackages, root, verdict } from './tools.mjs'

/** Every symbol that a door of a public package exports says what it is, so that an editor shows it to whoever uses the
 *  symbol. */
export async function checkComments() {
  // The steps are listed before anything is installed: the compiler is there only now.
  const { default: ts } = await import('typescript')
  const doors = publicPackages().flatMap(({ folder, manifest }) =>
    Object.values(manifest.exports)
      .filter((door) => typeof door === 'object')
      .map((door) => join(root, folder, door.types)),
  )
  const program = ts.createProgram(doors, { skipLibCheck: true, module: ts.ModuleKind.NodeNext, types: [] })
  const checker = program.getTypeChecker()
  const seen = new Set()
  const complaints = doors.flatMap((door) => {
    const source = program.getSourceFile(door)
    const module = source && checker.getSymbolAtLocation(source)
    if (module === undefined) return [`${door} does not exist: a door without declarations, or no build`]
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
      if (seen.has(symbol)) return []
      seen.add(symbol)
      const file = relative(root, symbol.declarations?.[0]?.getSourceFile().fileName ?? '').replace('/dist/', '/src/')
      return [
        ...(symbol.getDocumentationComment(checker).length > 0 ? [] : [`${symbol.name} of ${door} has no comment`]),
        ...(guideOf(file) === undefined ? [`${symbol.name} (${file}) has no guide: see site/src/guides.mjs`] : []),
      ]
    })
  })
  return verdict(complaints, `${seen.size} symbols are exported; each says what it is and has a guide`)
}
