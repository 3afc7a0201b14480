import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'

const RUN = fileURLToPath(new URL('../../scripts/ci/run.mjs', import.meta.url))
const BULK = '/-/npm/v1/security/advisories/bulk'
const ADVISORY = {
  id: 1,
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
  title: 'Bad frames',
  severity: 'high',
  vulnerable_versions: '<99',
  cwe: [],
  cvss: { score: 7, vectorString: null },
}

/** What the step of CI says with a registry that gives this answer to the question about advisories. */
async function stepWith(status: number, answer: string) {
  const asked: Promise<string>[] = []
  const registry = createServer((request, response) => {
    if (request.url === BULK) {
      asked.push(text(request.pipe(createGunzip())))
      response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
    } else response.writeHead(404).end('{}')
  })
  registry.listen(0, '127.0.0.1')
  await once(registry, 'listening')
  onTestFinished(() => void registry.close())
  const { port } = registry.address() as AddressInfo
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}` }
  const argv = [RUN, 'advisories against']
  const { code, out } = await promisify(execFile)(process.execPath, argv, { env, timeout: 60_000 }).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { readonly code: number; readonly stdout: string }) => ({ code: error.code, out: error.stdout }),
  )
  return { code, out, asked: (await Promise.all(asked)).map((question) => JSON.parse(question) as unknown) }
}

describe('advisories in CI', () => {
  it('an advisory that is not allowed fails the step, with its id, package and versions', async () => {
    const { code, out } = await stepWith(200, JSON.stringify({ rhea: [ADVISORY] }))
    expect(out).toContain('GHSA-aaaa-bbbb-cccc high rhea <99: Bad frames')
    expect(out).toContain('\n0 passed, 1 failed')
    expect(code).toBe(1)
  }, 60_000)

  it('no advisory passes it, and every package that comes with ours was asked about', async () => {
    const { code, out, asked } = await stepWith(200, '{}')
    expect(asked).toEqual([expect.objectContaining({ rhea: ['3.0.5'], kafkajs: ['2.2.4'], convict: ['6.2.5'] })])
    expect(out).toMatch(/^\d\d packages, 0 advisories, 0 allowed with a reason$/m)
    expect(out).toContain('\n1 passed, 0 failed')
    expect(code).toBe(0)
  }, 60_000)

  it.each([
    ['refuses the question', 405, '{}', '405 Method Not Allowed'],
    ['answers with a page', 200, '<html>', 'invalid json'],
  ])(
    'a registry that %s is said in the summary, and counts as nothing passed',
    async (_title, status, answer, why) => {
      const { out } = await stepWith(status, answer)
      const lines = out.split('\n').filter((line) => line.includes('No source of advisories answers'))
      expect(lines).toEqual([expect.stringContaining(why)])
      expect(out).toContain('\n0 passed, 0 failed')
    },
    60_000,
  )
})
