import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'

const execute = promisify(execFile)
const HOOK = new URL('../../kafka/test/support/typescript-hook.mjs', import.meta.url).href
const PROGRAM = fileURLToPath(new URL('./support/flood-process.ts', import.meta.url))

const broker = await skipOrFail(startBroker('artemis', { jit: 'full' }))
afterAll(() => broker?.close())

describe.skipIf(broker === undefined)('a flood of notifications of 10 kB, begun in one turn', () => {
  it.each([50_000, 100_000])(
    '%i - those that fit are sent or end at their deadline, the others are refused as BackpressureError, and less is held than may be outstanding and wait',
    { timeout: 600_000 },
    async (count) => {
      const node = ['--conditions', '@oslo-messaging/source', '--import', HOOK, '--expose-gc', PROGRAM]
      const { stdout } = await execute(process.execPath, [
        ...node,
        broker?.url ?? '',
        `flood-${randomUUID()}`,
        `${count}`,
      ])
      console.log(stdout.trim())
      const { begun, heldMiB, peakMiB: _peak, ...ends } = JSON.parse(stdout) as Readonly<Record<string, number>>
      expect(begun).toBe(count)
      const { sent = 0, OSLO_MESSAGING_TIMEOUT: late = 0, OSLO_MESSAGING_BACKPRESSURE: refused = 0, ...others } = ends
      expect(others).toEqual({})
      expect(sent + late + refused).toBe(count)
      // 64 MiB of them are more than 5,000; how many of those a busy broker takes in a minute is its affair.
      expect(sent + late).toBeGreaterThan(5_000)
      expect(sent).toBeGreaterThan(100)
      // Twice 64 MiB of bodies, what is encoded of them, and what a promise costs.
      expect(heldMiB).toBeLessThan(263)
    },
  )
})
