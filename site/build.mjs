// Builds the site into site/dist. Usage: npm run site [-- --no-reference]
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { write, writeContent } from './src/content.mjs'
import { guideOf } from './src/guides.mjs'
import { writeReference } from './src/reference.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const content = join(here, '.content')
rmSync(content, { recursive: true, force: true })
const map = writeContent(content)
if (!process.argv.includes('--no-reference')) addReference(await writeReference(join(content, 'reference')))
write(join(content, 'public', 'llms.txt'), llms())
await build(here)
const bytes = sizeOf(join(here, 'dist'))
console.log(`${map.size} pages beside the reference, ${(bytes / 1024 / 1024).toFixed(1)} MiB in site/dist`)

/** Ends each guide with what it explains, so that every export is linked from one. */
function addReference(written) {
  const orphans = []
  const byGuide = new Map()
  for (const each of written) {
    if (each.name === 'default') continue
    const guide = guideOf(each.file)
    if (guide === undefined || !existsSync(join(content, `${guide}.md`)))
      orphans.push(`${each.name} of ${each.door} (${each.file})`)
    else byGuide.set(guide, [...(byGuide.get(guide) ?? []), each])
  }
  if (orphans.length > 0)
    throw new Error(
      `Exports that no guide explains; give their room a line in site/src/guides.mjs:\n${orphans.join('\n')}`,
    )
  for (const [guide, list] of byGuide) {
    const file = join(content, `${guide}.md`)
    const doors = [...new Set(list.map(({ door }) => door))].map((door) => {
      const links = list
        .filter((each) => each.door === door)
        .map(({ name, page }) => `[\`${name}\`](/reference/${page}.md)`)
      return `From \`${door}\`: ${links.join(', ')}.`
    })
    write(file, `${readFileSync(file, 'utf8').trimEnd()}\n\n## Reference\n\n${doors.join('\n\n')}\n`)
  }
  console.log(`${written.length} exports, each with a page and a guide that links to it`)
}

/** https://llmstxt.org: what there is, with a sentence for each page. */
function llms() {
  const lines = [...map.values()].sort().map((page) => {
    const text = readFileSync(join(content, page), 'utf8')
    const title = /^# (.+)$/m.exec(text)?.[1] ?? page
    const first = text.split('\n\n').find((part) => /^[A-Z]/.test(part)) ?? ''
    return `- [${title}](/${page.replace(/\.md$/, '.html')}): ${first.replaceAll('\n', ' ').slice(0, 200)}`
  })
  return `# oslo.messaging for Node.js\n\n> RPC and notifications for Node services over a message broker chosen by a URL; a peer of Python's oslo.messaging on the wire.\n\n## Pages\n\n${lines.join('\n')}\n`
}

function sizeOf(folder) {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    bytes += entry.isDirectory() ? sizeOf(path) : readFileSync(path).length
  }
  return bytes
}
