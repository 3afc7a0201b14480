import { randomInt } from 'node:crypto'
import net from 'node:net'

/** Below 32768: from there on Linux hands ports to clients, and a broker that restarts may find its own one taken. */
const FIRST = 10_000
const LAST = 32_767

/** Ports that this process has given out; a broker that has not bound yet must not be given a neighbour's port. */
const given = new Set<number>()

/** Free TCP ports on 127.0.0.1, all below 32768 and never the same twice in one process.
 *  Another process may still take one before it is bound: a start that fails on that is tried again with others. */
export async function freePorts(count: number): Promise<number[]> {
  const held: net.Server[] = []
  const ports: number[] = []
  try {
    for (let attempts = 0; ports.length < count; attempts++) {
      if (attempts > 1000 + count) throw new Error(`No ${count} free ports between ${FIRST} and ${LAST}`)
      const port = randomInt(FIRST, LAST + 1)
      if (given.has(port)) continue
      const server = await tryListen(port)
      if (server === undefined) continue
      held.push(server)
      given.add(port)
      ports.push(port)
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  return ports
}

function tryListen(port: number): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}
