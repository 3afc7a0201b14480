import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'

const execute = promisify(execFile)
const HOOK = new URL('../../kafka/test/support/typescript-hook.mjs', import.meta.url).href
const PROGRAM = fileURLToPath(new URL('./support/casts-process.ts', import.meta.url))
/** A million takes minutes; `AMQP_CASTS=100000` is a shorter look at the same. */
const COUNT = Number(process.env['AMQP_CASTS'] ?? 1_000_000)

const broker = await skipOrFail(startBroker('artemis', { jit: 'full' }))
afterAll(() => broker?.close())

describe.skipIf(broker === undefined)('amqp memory', () => {
  it(`${COUNT} casts sent and handled by one process - memory is flat`, { timeout: 1_800_000 }, async () => {
    const node = ['--conditions', '@oslo-messaging/source', '--import', HOOK, '--expose-gc', PROGRAM]
    const args = [broker?.url ?? '', `million-${randomUUID().slice(0, 8)}`, String(COUNT)]
    const { stdout } = await execute(process.execPath, [...node, ...args])
    const lines = stdout.trim().split('\n')
    expect(lines.at(-1)).toBe(`handled ${COUNT}`)
    const samples = lines.filter((line) => line.startsWith('heap ')).map((line) => Number(line.slice(5)))
    console.log(`heap and buffers at each twentieth of ${COUNT} casts, MB: ${samples.join(' ')}`)
    expect(samples.length).toBe(20)
    // Samples are taken amid the work, with up to 2,000 casts on their way.
    const least = (part: readonly number[]): number => Math.min(...part)
    expect(least(samples.slice(-5))).toBeLessThan(least(samples.slice(1, 6)) + 3)
    expect(Math.max(...samples)).toBeLessThan(100)
  })
})
