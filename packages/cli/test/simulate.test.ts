import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriverRegistry, type DriverDefinition } from '@oslo-messaging/core'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import { jsonLines, onMemory } from './support/memory.ts'
import { forgetful, mutant } from './support/mutant.ts'

interface Result {
  readonly passed: boolean
  readonly lost: number
  readonly doubled: number
  readonly totals: { readonly sent: number; readonly resolved: number; readonly handled: number }
  readonly counts: Readonly<Record<string, number>>
  readonly latency: { readonly count: number; readonly p50: number; readonly max: number }
}

const FAST = ['--for', '0.6', '--rate', '300', '--drain', '0.3', '--json']

async function simulated(
  argv: readonly string[],
  driver?: DriverDefinition,
): Promise<Result & { readonly code: number }> {
  const options = driver === undefined ? {} : { registry: createDriverRegistry({ drivers: [driver] }) }
  const { code, out, err } = await onMemory('memory://cli-simulate/', ['simulate', ...FAST, ...argv], options)
  expect(err).toBe('')
  const [result] = jsonLines(out)
  return { ...(result as unknown as Result), code }
}

const honest: DriverDefinition = memoryDriver

describe('oslo-msg simulate', () => {
  it('hybrid on an honest driver - nothing lost, doubled or late, exit code 0', async () => {
    const result = await simulated(['--profile', 'hybrid'])
    expect(result).toMatchObject({ code: 0, passed: true, lost: 0, doubled: 0 })
    const { sent, resolved, handled } = result.totals
    expect(sent).toBeGreaterThan(50)
    expect([resolved, handled]).toEqual([sent, sent])
    expect(result.latency.count).toBe(sent)
    expect(result.latency.p50).toBeGreaterThan(0)
    expect(result.counts).toMatchObject({ lost: 0, 'replied-to-another': 0, unfinished: 0 })
  })

  it('a driver that drops every tenth notification it has acknowledged - says how many, exit code 3', async () => {
    const { driver, dropped } = forgetful(honest, 10)
    const result = await simulated(['--profile', 'notify'], driver)
    expect(result).toMatchObject({ code: 3, passed: false, lost: dropped() })
    expect(result.lost).toBeGreaterThan(3)
  })

  it('a driver that sends every fifth twice - says how many were doubled', async () => {
    let asked = 0
    const driver = mutant(honest, (one) => {
      const send = one.sendNotification.bind(one)
      one.sendNotification = async (...args) => {
        const nth = (asked += 1)
        await send(...args)
        if (nth % 5 === 0) await send(...args)
      }
    })
    const result = await simulated(['--profile', 'notify'], driver)
    expect(result.doubled).toBe(Math.floor(asked / 5))
    expect(result.lost).toBe(0)
  })

  it('--debug - what the library logs while it runs is on stderr, as with every command', async () => {
    const driver: DriverDefinition = {
      ...honest,
      open: async (url, context) => {
        context.logger.debug('The driver was opened')
        return await honest.open(url, context)
      },
    }
    const argv = ['simulate', '--for', '0.1', '--drain', '0.1', '--debug']
    const { code, err } = await onMemory('memory://cli-simulate/', argv, {
      registry: createDriverRegistry({ drivers: [driver] }),
    })
    expect(code).toBe(0)
    expect(err).toContain('oslo-msg: debug: The driver was opened\n')
  })

  it('a page that cannot be written - is said before anything is sent, rather than after the run', async () => {
    const argv = ['simulate', '--for', '600', '--html', '/nonexistent/page.html']
    const { code, out, err } = await onMemory('memory://cli-simulate/', argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toBe('oslo-msg: --html: /nonexistent/page.html cannot be written (ENOENT)\n')
  })

  it('in words, and as one page with plots that asks for nothing from anywhere', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cli-simulate-')), 'page.html')
    const argv = ['simulate', '--for', '0.4', '--drain', '0.2', '--html', file]
    const { code, out } = await onMemory('memory://cli-simulate/', argv)
    expect(code).toBe(0)
    expect(out).toMatch(/^sent +\d+ {2}rpc over memory, \d+ s$/m)
    expect(out).toMatch(/^latency: median \d+\.\d ms, 90 % /m)
    expect(out).toMatch(/Every promise was kept\n$/)
    const page = readFileSync(file, 'utf8')
    expect(page.match(/<svg /g)).toHaveLength(3)
    expect(page).toContain('nothing lost')
    expect(page).not.toMatch(/src=|href=|url\(|@import|<script|NaN|undefined|Infinity/)
  })

  it.each([
    { argv: ['--faults', 'explode@1s'], says: 'A fault is KIND@SECONDS' },
    { argv: ['--faults', 'freeze@1s'], says: 'write freeze@1s+3s' },
    { argv: ['--faults', 'restart@1s'], says: 'restart needs the command that restarts the broker: --restart-command' },
    { argv: ['--faults', 'kill-node@1s'], says: '--kill-node-command' },
    {
      argv: ['--faults', 'kill-node@1s+2s', '--kill-node-command', 'true'],
      says: '--start-node-command',
    },
    { argv: ['--processes', '2'], says: 'memory:// is inside one process' },
    { argv: ['--python', 'brokers'], says: 'Allowed choices are servers, clients' },
    { argv: ['--faults', 'reset@20s'], says: 'is not over when the run is (--for 10)' },
    { argv: ['--rate', '0'], says: '--rate must be a whole number above 0' },
    { argv: ['--profile', 'chaos'], says: 'Allowed choices are rpc, notify, hybrid' },
    {
      argv: ['--url', 'kafka://h/', '--profile', 'notify', '--faults', 'reset@1s'],
      says: 'Kafka sends its clients past it',
    },
    {
      argv: ['--profile', 'notify', '--faults', 'reset@1s'],
      // Set to nothing, which means that of [DEFAULT].
      env: { OS_DEFAULT__TRANSPORT_URL: 'kafka://h/', OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: '' },
      says: 'Kafka sends its clients past it',
    },
  ])('$argv - wrong usage, one line', async ({ argv, env = {}, says }) => {
    const { code, out, err } = await onMemory('memory://cli-simulate/', ['simulate', ...argv], { env })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(says)
    expect(err).toMatch(/^[^\n]*\n$/)
  })
})
