import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createDriverRegistry } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { EACH, FOLDER } from './support/each-command.ts'

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))

describe('a broker that refuses the connection', () => {
  it.each([
    { isTerminal: true, says: ['oslo-msg: still trying: connect ECONNREFUSED 127.0.0.1:1'] },
    { isTerminal: false, says: [] },
  ])(
    'terminal: $isTerminal - somebody who waits at one is told why after three seconds',
    async ({ isTerminal, says }) => {
      let err = ''
      const argv = ['ping', 'fleet', '--url', 'rabbit://guest:guest@127.0.0.1:1/', '--timeout', '4']
      const registry = createDriverRegistry({ drivers: [rabbitDriver] })
      const code = await run(argv, { registry, isTerminal, out: () => {}, err: (text) => (err += text) })
      expect(code).toBe(1)
      expect(err.trimEnd().split('\n').slice(0, -1)).toEqual(says)
    },
  )
})

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
