import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { EACH, FOLDER } from './support/each-command.ts'

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))

describe('every command as a process', () => {
  it.each(Object.keys(EACH))('%s - a reader that goes away ends it quietly', async (name) => {
    const argv = EACH[name]?.argv ?? []
    const child = spawn(process.execPath, [PROGRAM, name, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: FOLDER,
      env: { PATH: process.env['PATH'], OS_DEFAULT__TRANSPORT_URL: 'memory://gone/' },
    })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.stdout.destroy()
    const [code] = (await once(child, 'close')) as [number]
    expect(err).not.toMatch(/EPIPE|^\s+at /m)
    expect([0, 1, 2, 3, 4]).toContain(code)
  })
})
