import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const PROCESS = new URL('../dist/process.js', import.meta.url).href
const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))

function start(argv: readonly string[]) {
  const child = spawn(process.execPath, [...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return { child, stderr: () => err, ended: once(child, 'close') }
}

describe('oslo-msg as a process', () => {
  it('Ctrl-C - a server drains, says what it did and ends with 0', async () => {
    const { child, stderr, ended } = start([PROGRAM, 'serve', 'toys', '--url', 'memory://'])
    await expect.poll(stderr, { timeout: 10_000 }).toContain('Ctrl-C ends')
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(0)
    expect(stderr()).toContain('served 0 requests')
  })

  it('Ctrl-C twice - the first drains, the second ends at once with 130', async () => {
    // A command whose drain never ends.
    const program = `import { runAsProcess } from ${JSON.stringify(PROCESS)}
      await runAsProcess(async (_, { err, signal }) => {
        signal.addEventListener('abort', () => err('draining'))
        err('working')
        return await new Promise(() => {})
      })`
    const { child, stderr, ended } = start(['--input-type=module', '--eval', program])
    await expect.poll(stderr, { timeout: 10_000 }).toContain('working')
    child.kill('SIGINT')
    await expect.poll(stderr, { timeout: 10_000 }).toContain('draining')
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(130)
  })

  it('a reader that goes away - ends quietly', async () => {
    const { child, stderr, ended } = start([PROGRAM, 'config', 'sample'])
    child.stdout.destroy()
    expect((await ended)[0]).toBe(0)
    expect(stderr()).toBe('')
  })
})
