import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHandFedScene } from './hand-fed-scene.ts'
import { createScene, turn } from '../scene.ts'

describe('RPC server - under load', () => {
  it('S6 stopping and starting one server after the other loses no call and repeats none', async () => {
    await using scene = await createScene()
    const runs = new Map<number, number>()
    const endpoint = {
      once: async (_context: object, { n }: { n: number }) => {
        runs.set(n, (runs.get(n) ?? 0) + 1)
        await turn()
        return n
      },
    }
    const servers = await Promise.all(
      ['a', 'b', 'c'].map((server) => scene.serve(endpoint, { workers: 2 }, { server })),
    )
    const client = scene.client({ timeoutMs: 15_000 })
    let next = 0
    const load = new AbortController()
    const callers = Array.from({ length: 20 }, async () => {
      while (!load.signal.aborted) {
        const n = next
        next += 1
        expect(await client.call({}, 'once', { n })).toBe(n)
      }
    })
    for (let round = 0; round < 12; round += 1) {
      const server = servers[round % servers.length]
      await server?.stop()
      await server?.wait({ timeoutMs: 5000 })
      await server?.start()
      await turn()
    }
    load.abort()
    await Promise.all(callers)
    expect(runs.size).toBe(next)
    expect([...runs.values()].every((count) => count === 1)).toBe(true)
    expect(next).toBeGreaterThan(40)
  })

  it('whatever message arrives is acknowledged and answered once, and its worker is free again', async () => {
    const { fed, deliver, request, log, replies } = await createHandFedScene()
    await using _ = fed
    await fed.serve({ go: () => 'fine' }, { workers: 1 })
    const message = fc.oneof(
      fc.object(),
      fc.record(
        {
          method: fc.oneof(fc.constantFrom('go', '__proto__', 'constructor', 'toString'), fc.anything()),
          args: fc.oneof(fc.object(), fc.anything()),
          namespace: fc.oneof(fc.string(), fc.anything()),
          version: fc.oneof(fc.string(), fc.anything()),
        },
        { requiredKeys: [] },
      ),
    )
    await fc.assert(
      fc.asyncProperty(message, async (arrived) => {
        log.length = 0
        replies.length = 0
        deliver(request(arrived))
        deliver(request({ method: 'go' }))
        await turn()
        expect(log.filter((line) => line.startsWith('ack'))).toHaveLength(2)
        expect(replies).toHaveLength(2)
        expect(replies[1]).toEqual({ result: 'fine', failure: null })
      }),
      { numRuns: 200 },
    )
  })
})
