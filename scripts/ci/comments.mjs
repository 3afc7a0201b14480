import { join } from 'node:path'
import { publicPackages, root, verdict } from './tools.mjs'

/** Every symbol that a door of a public package exports says what it is, so that an editor shows it to whoever uses the symbol. */
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
      return symbol.getDocumentationComment(checker).length > 0 ? [] : [`${symbol.name} of ${door} has no comment`]
    })
  })
  return verdict(complaints, `${seen.size} symbols are exported; each says what it is`)
}
