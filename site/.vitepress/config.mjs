import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { SIDEBAR } from '../src/guides.mjs'

const content = fileURLToPath(new URL('../.content/', import.meta.url))

/** Two services and what is between them. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M8 16h16" stroke="#3451b2" stroke-width="4"/><circle cx="7" cy="16" r="6" fill="#3451b2"/><circle cx="25" cy="16" r="6" fill="#18794e"/></svg>'

const titleOf = (page) => {
  const file = join(content, `${page}.md`)
  return existsSync(file) ? (/^# (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? page) : undefined
}
const item = (page) => {
  const text = titleOf(page)
  return text === undefined ? [] : [{ text: text.replaceAll('`', ''), link: `/${page === 'index' ? '' : page}` }]
}
const folder = (name) =>
  existsSync(join(content, name))
    ? readdirSync(join(content, name))
        .filter((file) => file.endsWith('.md') && file !== 'index.md')
        .sort()
        .flatMap((file) => item(`${name}/${file.slice(0, -3)}`))
    : []
const placed = new Set(SIDEBAR.flatMap(({ pages }) => pages))
const others = readdirSync(content)
  .filter((file) => file.endsWith('.md') && !placed.has(file.slice(0, -3)))
  .sort()
  .flatMap((file) => item(file.slice(0, -3)))
const packages = existsSync(join(content, 'packages'))
  ? readdirSync(join(content, 'packages')).flatMap((name) => item(`packages/${name}/index`))
  : []
const reference = join(content, 'reference')
const inReference = (path) =>
  existsSync(join(reference, path))
    ? readdirSync(join(reference, path), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [`${path}${entry.name}`] : [],
      )
    : []
const doors = [...inReference('@oslo-messaging/'), ...inReference('').filter((name) => !name.startsWith('@'))].map(
  (name) => ({ text: name, link: `/reference/${name}/` }),
)

export default defineConfig({
  srcDir: '.content',
  outDir: 'dist',
  cacheDir: '.cache',
  title: 'oslo.messaging for Node.js',
  description: 'RPC and notifications over a broker chosen by URL',
  lang: 'en',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  cleanUrls: false,
  // What every page needs to know of all others is a file of its own; inside each page it was half of the site.
  metaChunk: true,
  // A file, and no server's time: two builds of one tree are alike.
  lastUpdated: false,
  markdown: { theme: { light: 'github-light', dark: 'github-dark' } },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guides', link: '/rpc' },
      { text: 'Reference', link: '/reference/' },
      { text: 'Changes', link: '/changes' },
    ],
    outline: [2, 3],
    sidebar: [
      ...SIDEBAR.map(({ text, pages }) => ({ text, items: pages.flatMap(item) })),
      { text: 'More', collapsed: true, items: others },
      { text: 'Packages', collapsed: true, items: packages },
      { text: 'Reference', collapsed: true, items: doors },
      { text: 'Running it, in depth', collapsed: true, items: folder('operations') },
      { text: 'Decisions', collapsed: true, items: folder('adr') },
    ].filter(({ items }) => items.length > 0),
    socialLinks: [{ icon: 'github', link: 'https://github.com/oslo-messaging/oslo-messaging-node' }],
  },
})
