import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPage } from '../../packages/cli/test/support/chromium.ts'
import { resultsPage } from '../src/page.ts'
import { callTree, flamePage } from '../src/profile/flame.ts'
import { recordProfile } from '../src/profile/record.ts'
import type { Row } from '../src/result.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'bench-pages-'))
const SHOTS = process.env['PAGE_SHOTS']

async function opened(name: string, html: string) {
  const file = join(FOLDER, `${name}.html`)
  writeFileSync(file, html)
  return await openPage(file, SHOTS === undefined ? undefined : join(SHOTS, `${name}.png`))
}

function row(name: string, median: number): Row {
  const figures = { perSec: 1234, p50Ms: 0.5, p99Ms: 3, cpuUsPerOp: 40 }
  const ratio = { median, min: median * 0.9, max: median * 1.2 }
  const workload = { name, concurrency: 64, bytes: 1024 }
  return { workload, ours: figures, peer: { ...figures, name: '<hand-written>' }, ratio, pairs: 5 }
}

describe('pages of the bench in Chromium', () => {
  it('bench -- all - a bar for every row, inside its picture; nothing is complained of or asked for', async () => {
    const rows = [0.1, 0.5, 1, 2, 9].map((median) => row(`call ${median}`, median))
    const page = resultsPage([{ suite: 'core', environment: { node: 'v20' }, rows }], 'npm run bench -- all')
    const { dom, messages, requests } = await opened('bench', page)
    const ends = [...dom.matchAll(/<path d="M([\d.]+) 11L([\d.]+) 11"/g)].flatMap(([, from, to]) =>
      [from, to].map(Number),
    )
    expect(ends).toHaveLength(2 * rows.length)
    for (const x of ends) expect(x >= 0 && x <= 300).toBe(true)
    expect(dom).toContain('&lt;hand-written&gt;')
    expect({ messages, requests }).toEqual({ messages: [], requests: [] })
  }, 60_000)

  it('bench -- profile - boxes of the flame graph are drawn; nothing is complained of or asked for', async () => {
    const profile = await recordProfile(async () => {
      const end = performance.now() + 60
      while (performance.now() < end) JSON.parse(JSON.stringify({ end }))
    })
    const { dom, messages, requests } = await opened('profile', flamePage(callTree(profile), 'core', 'npm run bench'))
    expect(dom.match(/<rect [^>]*width="\d/g)?.length).toBeGreaterThan(3)
    expect({ messages, requests }).toEqual({ messages: [], requests: [] })
  }, 60_000)
})
