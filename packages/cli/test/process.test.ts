import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))

function start(...argv: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return { child, stderr: () => err, ended: once(child, 'close') }
}

describe('oslo-msg as a process', () => {
  it('Ctrl-C - a server drains, says what it did and ends with 0', async () => {
    const { child, stderr, ended } = start('serve', 'toys', '--url', 'memory://')
    await expect.poll(stderr, { timeout: 10_000 }).toContain('Ctrl-C ends')
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(0)
    expect(stderr()).toContain('served 0 requests')
  })

  it('Ctrl-C twice - ends at once with 130', async () => {
    const { child, stderr, ended } = start('listen', 'toys', '--url', 'memory://')
    await expect.poll(stderr, { timeout: 10_000 }).toContain('Ctrl-C ends')
    // Both are there when it goes on, so that it cannot have ended between them.
    child.kill('SIGSTOP')
    child.kill('SIGINT')
    child.kill('SIGTERM')
    child.kill('SIGCONT')
    expect((await ended)[0]).toBe(130)
  })

  it('a reader that goes away - ends quietly', async () => {
    const { child, stderr, ended } = start('config', 'sample')
    child.stdout.destroy()
    expect((await ended)[0]).toBe(0)
    expect(stderr()).toBe('')
  })
})
