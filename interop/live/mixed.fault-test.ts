import { afterAll, describe, expect } from 'vitest'

import { writeResults } from './matrix/results.ts'
import { mixed } from './mixed/cell.ts'
import { type Deployment, deploymentsOn } from './mixed/deployment.ts'
import { Load } from './mixed/load.ts'
import type { Side } from './side.ts'
import { TRANSPORTS } from './transports/index.ts'
import { closeVenues } from './transports/venues.ts'

afterAll(async () => {
  await closeVenues()
  await writeResults('live-mixed')
})

const rowsOf = (...names: readonly string[]) => TRANSPORTS.filter(({ name }) => names.includes(name))

/** Replaces three servers of a kind by three of another under load; resolves to how many calls failed while each one
 *  stopped. */
async function roll(
  deployment: Deployment,
  load: Load,
  from: Awaited<ReturnType<Deployment['serve']>>[],
  to: Side['kind'],
) {
  const lost: number[] = []
  for (let replaced = 0; replaced < 3; replaced++) {
    const next = await deployment.serve(to)
    from.push(next)
    await load.reaches([next.name], 20, 60_000)
    const before = load.failures.length
    await from.shift()?.stop()
    await load.flows(20, 60_000)
    lost.push(load.failures.length - before)
  }
  return lost
}

describe.each(rowsOf('rabbit: default', 'rabbit: quorum', 'amqp: dynamic'))('$name', async (row) => {
  const open = await deploymentsOn(row)
  if (open === undefined) return

  mixed(row.name, 'mixed: two Python servers and two of ours share the calls of both kinds of clients', async () => {
    await using deployment = await open()
    const kinds = ['python', 'python', 'ours', 'ours'] as const
    const servers = await Promise.all(kinds.map((kind) => deployment.serve(kind)))
    const load = new Load(await deployment.clients(20_000), { callers: 8, timeoutMs: 20_000 })
    const names = servers.map(({ name }) => name)
    await load.reaches(names, 25, 60_000)
    await load.stop()
    expect(load.failures).toEqual([])
    await Promise.all(servers.map((server) => server.stop()))
  })
})

describe.each(rowsOf('rabbit: queue manager', 'amqp: dynamic'))('$name', async (row) => {
  const open = await deploymentsOn(row)
  if (open === undefined) return

  mixed(
    row.name,
    'mixed: servers are replaced one by one under load, Python by ours and back: no call fails',
    async () => {
      await using deployment = await open()
      const running = await Promise.all([1, 2, 3].map(() => deployment.serve('python')))
      const load = new Load(await deployment.clients(30_000), { callers: 6, timeoutMs: 30_000 })
      await load.flows(20, 60_000)
      await roll(deployment, load, running, 'ours')
      await roll(deployment, load, running, 'python')
      await load.stop()
      expect(load.failures).toEqual([])
      await Promise.all(running.map((server) => server.stop()))
    },
  )
})

// A Python server that deletes its fanout queue when it stops reads what it was sent meanwhile, acknowledges it, and
// drops it: with the queue manager it leaves that queue alone. What is lost is Python's loss: it is the same when
// Python is replaced by Python.
describe.each(rowsOf('rabbit: default'))('$name', async (row) => {
  const open = await deploymentsOn(row)
  if (open === undefined) return

  mixed(
    row.name,
    'mixed: servers are replaced one by one under load: ours lose no call; Python loses some, to whomever it hands over',
    async () => {
      await using deployment = await open()
      const callers = 6
      const running = await Promise.all([1, 2, 3].map(() => deployment.serve('python')))
      const load = new Load(await deployment.clients(5000), { callers, timeoutMs: 5000 })
      await load.flows(20, 60_000)
      const pythonToPython = await roll(deployment, load, running, 'python')
      const pythonToOurs = await roll(deployment, load, running, 'ours')
      const oursToOurs = await roll(deployment, load, running, 'ours')
      const oursToPython = await roll(deployment, load, running, 'python')
      await load.stop()
      expect([oursToOurs, oursToPython]).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ])
      // At most what was under way when a Python server stopped: one call of each caller of the two clients.
      for (const lost of [...pythonToPython, ...pythonToOurs]) expect(lost).toBeLessThanOrEqual(2 * callers)
      for (const { error } of load.failures) expect(error.type).toBe('MessagingTimeout')
      await Promise.all(running.map((server) => server.stop()))
    },
  )
})
