import { expect, it } from 'vitest'
import { type Contestant, duel } from '../src/duel.ts'
import { formatTable } from '../src/table.ts'
import { takeTurn } from '../src/turn.ts'

/** A contestant that does `operations` in each turn of a second, and writes down when it was its turn. */
function scripted(name: string, log: string[], operations: readonly number[]): Contestant {
  let turns = 0
  return {
    name,
    async turn() {
      log.push(name)
      const done = operations[turns++] ?? 0
      return { operations: done, elapsedMs: 1000, cpuUs: done * 10, latenciesMs: [1, 2, 3] }
    },
  }
}

const workload = { name: 'call', concurrency: 1, bytes: 100 }

it('duel - alternates, turns the order round, and takes the ratio pair by pair', async () => {
  const log: string[] = []
  const ours = scripted('ours', log, [100, 300, 200])
  const peer = scripted('hand-written', log, [100, 100, 400])
  const rows = await duel({ workload, ours, peers: [peer], pairs: 3, turnMs: 1, warmUpMs: 0 })
  expect(log).toEqual(['ours', 'hand-written', 'hand-written', 'ours', 'ours', 'hand-written'])
  expect(rows).toEqual([
    {
      workload,
      ours: { perSec: 200, p50Ms: 2, p99Ms: 3, cpuUsPerOp: 10 },
      peer: { name: 'hand-written', perSec: 200, p50Ms: 2, p99Ms: 3, cpuUsPerOp: 10 },
      ratio: { median: 1, min: 0.5, max: 3 },
      pairs: 3,
    },
  ])
})

it('duel - the warm-up does not count', async () => {
  const log: string[] = []
  const ours = scripted('ours', log, [1, 50])
  const peer = scripted('hand-written', log, [1, 100])
  const [row] = await duel({ workload, ours, peers: [peer], pairs: 1, turnMs: 1 })
  expect(row?.ratio).toEqual({ median: 0.5, min: 0.5, max: 0.5 })
})

it('takeTurn - keeps as many operations under way as asked, and counts them all', async () => {
  let running = 0
  let most = 0
  const turn = await takeTurn(
    async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    },
    { concurrency: 5, durationMs: 20 },
  )
  expect(most).toBe(5)
  expect(turn.operations).toBe(turn.latenciesMs.length)
  expect(turn.operations).toBeGreaterThanOrEqual(5)
})

it('formatTable - names both sides of each row', async () => {
  const log: string[] = []
  const [ours, peer] = [scripted('ours', log, [2000]), scripted('hand-written', log, [1000])]
  const rows = await duel({ workload, ours, peers: [peer], pairs: 1, turnMs: 1, warmUpMs: 0 })
  const text = formatTable({ suite: 'core', environment: { node: 'v20' }, rows })
  expect(text).toContain('suite core\nnode: v20')
  expect(text).toMatch(/call +1 +100 +ours +2,000 .* 2\.00 \(2\.00 to 2\.00\), 1 pairs/)
  expect(text).toMatch(/hand-written +1,000/)
})
