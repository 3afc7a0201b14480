// Opens the built site in headless Chromium, as a reader would. Usage: npm run site:check [-- --screenshots FOLDER]
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { chromiumPath } from '../scripts/chromium-path.mjs'

const dist = fileURLToPath(new URL('dist/', import.meta.url))
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.png': 'image/png',
  '.txt': 'text/plain',
}
/** A telephone held upright. */
const NARROW = 380
/** Looked at wide and narrow; a build without the reference has one fewer. */
const PAGES = [
  '/',
  '/rpc.html',
  '/kafka-deployment-guide.html',
  '/errors.html',
  '/failures.html',
  '/driver-authors.html',
  '/reference/@oslo-messaging/core/classes/RPCClient.html',
].filter((path) => !path.startsWith('/reference') || existsSync(join(dist, 'reference')))

const executablePath = chromiumPath()
if (executablePath === undefined) {
  console.error('There is no Chromium here: apt-get install chromium, or set CHROMIUM_PATH')
  process.exit(1)
}
if (!existsSync(join(dist, 'index.html'))) {
  console.error('There is no site yet: npm run site')
  process.exit(1)
}
const at = process.argv.indexOf('--screenshots')
const shots = at === -1 ? undefined : process.argv[at + 1]
if (shots !== undefined) mkdirSync(shots, { recursive: true })

const server = createServer((request, response) => {
  const path = normalize(join(dist, decodeURIComponent(new URL(request.url, 'http://site').pathname)))
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path
  if (!file.startsWith(dist) || !existsSync(file)) {
    response.writeHead(404).end()
    return
  }
  response
    .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    .end(readFileSync(file))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
const complaints = []
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${page.url()}: the console says ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(origin) && !url.startsWith('data:')) complaints.push(`${page.url()} asks for ${url}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400 && !response.url().endsWith('favicon.ico'))
      complaints.push(`${response.url()}: ${response.status()}`)
  })
  for (const path of PAGES) {
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.goto(origin + path, { waitUntil: 'load' })
    await page.locator('h1').first().waitFor()
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${nameOf(path)}.png`) })
    await page.setViewportSize({ width: NARROW, height: 800 })
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    if (width > NARROW) complaints.push(`${path} is ${width} pixels wide where a page has ${NARROW}`)
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${nameOf(path)}-narrow.png`) })
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.goto(`${origin}/`)
  await page.locator('.VPNavBarSearch button').first().click()
  await page.locator('.VPLocalSearchBox input').fill('dead letter')
  const results = page.locator('.VPLocalSearchBox .result')
  await results.first().waitFor({ timeout: 20_000 })
  const found = await results.count()
  if (shots !== undefined) await page.screenshot({ path: join(shots, 'search.png') })
  await results.first().click()
  await page.waitForURL((url) => url.pathname !== '/')
  console.log(`the search finds ${found} places for "dead letter"; the first is ${new URL(page.url()).pathname}`)
} finally {
  await browser.close()
  server.close()
}
assert.deepEqual(complaints, [])
console.log(
  `${PAGES.length} pages are readable at 1280 and ${NARROW} pixels; no errors, no request leaves this machine`,
)

function nameOf(path) {
  return path === '/' ? 'index' : path.split('/').at(-1).replace('.html', '')
}
