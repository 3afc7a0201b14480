import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const MOST_MS = 120

/** CPU time of one run of Node, as the operating system counts it; the least of several, which is what it takes. */
function cpuMs(...args: readonly string[]): number {
  return Math.min(...Array.from({ length: 4 }, () => oneRun(args)))
}

function oneRun(args: readonly string[]): number {
  // The program's own account at its end, its start-up included.
  const hook = `data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('cpu='+(user+system))})`
  const { stderr } = spawnSync(process.execPath, ['--import', hook, ...args], { encoding: 'utf8' })
  return Number(/cpu=(\d+)/.exec(stderr)?.[1] ?? Number.NaN) / 1000
}

describe('start-up', () => {
  it(`oslo-msg --help costs at most ${MOST_MS} ms of CPU above Node itself`, () => {
    const bare = cpuMs('-e', '0')
    const help = cpuMs(PROGRAM, '--help')
    expect(bare).toBeGreaterThan(0)
    expect(help - bare).toBeLessThan(MOST_MS)
  })
})
