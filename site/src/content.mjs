import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { formatPage } from '../../packages/conformance/dist/results/index.js'
import { filesBelow, packagesIn, root } from '../../scripts/ci/tools.mjs'

const REPOSITORY = 'https://github.com/oslo-messaging/oslo-messaging-node/blob/main'
/** Reports of conformance: data in the repository, pages on the site. */
const REPORTS = 'docs/conformance'
const FENCE = /^\s*(```|~~~)/
const LINK = /(\]\()([^)\s]+)(\))/g

/** The pages of the site by the file they come from, both relative: to the root of the repository, and to the
 *  site's. */
export function pages() {
  const map = new Map([
    ['README.md', 'index.md'],
    ['UPGRADING.md', 'upgrading.md'],
    ['SECURITY.md', 'security.md'],
    ['CONTRIBUTING.md', 'contributing.md'],
  ])
  for (const file of filesBelow('docs', ['.md']))
    map.set(file, relative('docs', file).replace(/README\.md$/, 'index.md'))
  for (const { folder, manifest } of packagesIn('packages')) {
    if (manifest.private === true) continue
    for (const [name, page] of [
      ['README.md', 'index.md'],
      ['CHANGELOG.md', 'changelog.md'],
    ]) {
      if (existsSync(join(root, folder, name))) map.set(join(folder, name), join(folder, page))
    }
  }
  return map
}

/** Writes every page below `folder`, its links turned to where they lead on the site, or in the repository. Throws an
 *  Error that names each link that leads nowhere. */
export function writeContent(folder) {
  const map = pages()
  const broken = []
  for (const [file, page] of map) {
    const text = readFileSync(join(root, file), 'utf8')
    write(join(folder, page), linked(text, file, page, map, broken))
  }
  for (const image of filesBelow('docs', ['.png', '.svg', '.json']))
    write(join(folder, 'public', relative('docs', image)), readFileSync(join(root, image)))
  for (const report of filesBelow(REPORTS, ['.json']))
    write(join(folder, 'public', pageOf(report)), formatPage(JSON.parse(readFileSync(join(root, report), 'utf8'))))
  write(join(folder, 'changes.md'), changes())
  if (broken.length > 0) throw new Error(`Links that lead nowhere:\n${broken.join('\n')}`)
  return map
}

/** Code is left as it is; what stands in angle brackets outside of it would be taken for a component. */
function linked(text, file, page, map, broken) {
  let isCode = false
  return text
    .split('\n')
    .map((line) => {
      if (FENCE.test(line)) isCode = !isCode
      if (isCode) return line
      return line.replaceAll(LINK, (whole, open, target, close) => {
        const to = turned(target, file, page, map)
        if (to === undefined) broken.push(`${file}: ${target}`)
        return to === undefined ? whole : `${open}${to}${close}`
      })
    })
    .join('\n')
}

function turned(target, file, page, map) {
  if (/^(https?:|mailto:|#)/.test(target)) return target
  const [path, hash] = target.split('#', 2)
  const source = normalize(join(dirname(file), path)).replace(/\/$/, '')
  const suffix = hash === undefined ? '' : `#${hash}`
  const to = map.get(source) ?? map.get(join(source, 'README.md'))
  if (to !== undefined) return `${relative(dirname(page), to) || './'}${suffix}`.replace(/^(?![./])/, './')
  if (source.startsWith(`${REPORTS}/`) && source.endsWith('.json')) return `/${pageOf(source)}`
  if (/\.(png|svg|json)$/.test(source) && source.startsWith('docs/')) return `/${relative('docs', source)}`
  return existsSync(join(root, source)) ? `${REPOSITORY}/${source}${suffix}` : undefined
}

/** Where the page of a report is, relative to the site. */
function pageOf(report) {
  return relative('docs', report).replace(/json$/, 'html')
}

/** What the next release brings, by package. */
function changes() {
  const byPackage = new Map()
  for (const name of readdirSync(join(root, '.changeset'))) {
    if (!name.endsWith('.md') || name === 'README.md') continue
    const [, head = '', text = ''] = readFileSync(join(root, '.changeset', name), 'utf8').split(/^---$/m)
    for (const [, each, bump] of head.matchAll(/'([^']+)': (\w+)/g))
      byPackage.set(each, [...(byPackage.get(each) ?? []), { bump, text: text.trim() }])
  }
  const sections = [...byPackage]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([name, list]) => {
      const entries = list
        .toSorted((one, other) => one.bump.localeCompare(other.bump))
        .map(({ bump, text }) => `- ${bump === 'patch' ? '' : `**${bump}** `}${text.replaceAll('\n', '\n  ')}`)
      return `## ${name}\n\n${entries.join('\n')}`
    })
  return `# The next release\n\nWhat has changed since the last one; what needs a change from you is in [upgrading](./upgrading.md).\n\n${sections.join('\n\n')}\n`
}

export function write(file, content) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}
