import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

  it('the terminal goes away - drains as after Ctrl-C, however often that is said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'oslo-msg-'))
    const [log, file] = [join(folder, 'log'), join(folder, 'program.mjs')]
    await writeFile(
      file,
      `import { appendFileSync } from 'node:fs'
      import { setTimeout as sleep } from 'node:timers/promises'
      import { runAsProcess } from ${JSON.stringify(PROCESS)}
      await runAsProcess(async (_, { out, signal, onKey }) => {
        onKey(() => {})
        out('working')
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        process.kill(process.pid, 'SIGHUP')
        out('nobody reads this')
        await sleep(100)
        appendFileSync(${JSON.stringify(log)}, 'drained: ' + signal.reason.message)
        return 0
      })`,
    )
    const terminal = spawn('script', ['-qefc', `${process.execPath} ${file}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let out = ''
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    await expect.poll(() => out, { timeout: 10_000 }).toContain('working')
    terminal.kill('SIGKILL')
    await expect
      .poll(async () => await readFile(log, 'utf8').catch(() => ''), { timeout: 10_000 })
      .toBe('drained: The terminal went away')
    await rm(folder, { recursive: true })
  })

  it('a reader that goes away - ends quietly', async () => {
    const { child, stderr, ended } = start([PROGRAM, 'config', 'sample'])
    child.stdout.destroy()
    expect((await ended)[0]).toBe(0)
    expect(stderr()).toBe('')
  })
})
