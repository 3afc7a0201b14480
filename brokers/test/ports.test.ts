import net from 'node:net'

import { expect, it } from 'vitest'

import { freePorts } from '../src/ports.ts'

it('free ports - are below 32768, can be bound, and are never given twice', async () => {
  const lists = await Promise.all(Array.from({ length: 20 }, () => freePorts(5)))
  const ports = lists.flat()
  expect(new Set(ports).size).toBe(100)
  expect(Math.max(...ports)).toBeLessThan(32_768)
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000)
  const servers = await Promise.all(
    ports.map(
      (port) =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer()
          server.once('error', reject)
          server.listen(port, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  for (const server of servers) server.close()
})
