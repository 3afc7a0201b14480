import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, ReflectionKind } from 'typedoc'
import { publicPackages, root } from '../../scripts/ci/tools.mjs'
import { GENERATED } from './guides.mjs'

/** Every door of every published package: its import name, and the source it is read from. */
export function doors() {
  return publicPackages().flatMap(({ folder, manifest }) =>
    Object.entries(manifest.exports).flatMap(([door, target]) => {
      const source = typeof target === 'object' ? target['@oslo-messaging/source'] : undefined
      if (source === undefined) return []
      return [{ name: join(manifest.name, door), file: join(root, folder, source) }]
    }),
  )
}

/** Writes one page for each export below `folder`, and resolves with what was written.
 *
 *  Shape: `{ door, name, page, file }`; `page` is relative to `folder`, without an ending; `file` is the source it is
 *  declared in, relative to the root. */
export async function writeReference(folder) {
  const list = doors()
  const app = await Application.bootstrapWithPlugins({
    name: 'Reference',
    entryPoints: list.map(({ file }) => file),
    tsconfig: join(root, 'site/tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    // The doors of a driver and of applications share types; each is shown where it is imported from.
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    skipErrorChecking: true,
    disableGit: true,
    sourceLinkTemplate: 'https://github.com/oslo-messaging/oslo-messaging-node/blob/main/packages/{path}#L{line}',
    basePath: root,
    readme: 'none',
    logLevel: 'Warn',
    validation: { notExported: false, invalidLink: true, notDocumented: false },
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('The sources were not read')
  const written = []
  for (const child of project.children ?? []) {
    const file = child.sources?.[0]?.fullFileName
    const door = list.find((each) => each.file === file)
    if (door === undefined) throw new Error(`${child.name} is no door`)
    child.name = door.name
    // Facts are read in the editor, where a name completes them: hundreds of pages of fields would hide all others.
    for (const each of child.children?.slice() ?? []) {
      if (GENERATED.some((room) => each.sources?.[0]?.fileName.startsWith(room))) project.removeReflection(each)
    }
  }
  app.options.setValue('hideBreadcrumbs', true)
  app.options.setValue('hidePageHeader', true)
  app.options.setValue('useCodeBlocks', true)
  app.options.setValue('entryFileName', 'index')
  app.options.setValue('parametersFormat', 'table')
  app.options.setValue('outputs', [{ name: 'markdown', path: folder }])
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('The reference has broken links; the lines above say which')
  for (const entry of readdirSync(folder, { recursive: true })) {
    if (entry.endsWith('.md')) escapeTags(join(folder, entry))
  }
  for (const module of project.children ?? []) {
    for (const child of module.children ?? []) {
      // What one door shows of another has its page there.
      const original = child.kind === ReflectionKind.Reference ? child.getTargetReflectionDeep() : child
      const page = pageOf(folder, original.parent?.name ?? module.name, original.name)
      written.push({ door: module.name, name: child.name, page, file: original.sources?.[0]?.fileName ?? '' })
    }
  }
  return written
}

function pageOf(folder, door, name) {
  for (const kind of readdirSync(join(folder, door))) {
    if (existsSync(join(folder, door, kind, `${name}.md`))) return join(door, kind, name)
  }
  throw new Error(`${name} of ${door} has no page`)
}

/** What a comment has in angle brackets or double braces is text; the site's templates would take it for an element or
 *  an expression. */
function escapeTags(file) {
  let isCode = false
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      if (line.startsWith('```')) isCode = !isCode
      if (isCode) return line
      return line
        .split(/(`[^`]*`)/)
        .map((part, index) => {
          if (index % 2 === 1) return part
          return part.replaceAll(/(?<!\\)<(?!a id="|\/a>)/g, '&lt;').replaceAll('{{', '&#123;&#123;')
        })
        .join('')
    })
  writeFileSync(file, lines.join('\n'))
}
