import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from './support/broker.ts'
import { printedBy } from './support/quiet.ts'

const run = promisify(execFile)
const broker = await sharedKafka()

/** The program of another Node, from the package that carries it; undefined (skip) where it cannot be had, an error
 *  where CI is set. */
async function findNode(major: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('npx', ['-y', `node@${major}`, '-p', 'process.execPath'], { timeout: 240_000 })
    return stdout.trim()
  } catch (error) {
    if ((process.env['CI'] ?? '') !== '') throw error
    process.stderr.write(`skipped: Node ${major} cannot be had from the package registry: ${String(error)}\n`)
    return undefined
  }
}

const nodes = await Promise.all([22, 24].map(async (major) => ({ major, node: await findNode(major) })))

describe.skipIf(broker === undefined).each(nodes)('kafka on Node $major', ({ major, node }) => {
  if (broker === undefined) return

  it.skipIf(node === undefined).each([
    { what: 'work', url: broker.url },
    { what: 'refused', url: 'kafka://127.0.0.1:1/' },
  ])('P28 no warning of the runtime, no line of the client library, $what', async ({ what, url }) => {
    const { out, err } = await printedBy(node ?? '', url, unique('quiet'), what)
    expect(err).toBe('')
    expect(out).toMatch(new RegExp(`^done ${what} on v${major}\\.[0-9.]+ warnings \\[\\]\\n$`))
  })
})
