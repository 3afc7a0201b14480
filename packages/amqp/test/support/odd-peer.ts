import { type AddressInfo, createServer, type Socket } from 'node:net'
import { OddConnection } from './odd-peer/connection.ts'
import type { OddLink } from './odd-peer/link.ts'
import { Nodes } from './odd-peer/nodes.ts'
import type { OddPeerOptions } from './odd-peer/options.ts'

/** An AMQP 1.0 peer that writes and reads frames by itself and can do anything with them, at any moment: an honest
 *  small broker but for what a test tells it. Clients that break the specification, or the limits it has announced, are
 *  told as a broker would, and what they did stands in `violations`. */
export interface OddPeer {
  readonly port: number
  readonly options: OddPeerOptions
  readonly nodes: Nodes
  readonly violations: readonly string[]
  /** The violations so far, which are forgotten. */
  takeViolations(): string[]
  /** What RabbitMQ's management node was asked, as `PUT /queues/x`. */
  readonly declared: readonly string[]
  /** Those that are open, oldest first. */
  readonly connections: readonly OddConnection[]
  /** How many there have been. */
  readonly accepted: number
  /** Every link of the address on every connection. */
  links(address: string): OddLink[]
  /** Resolves once `look` returns something else than undefined or false; rejects after so long (5 s). Looks after each
   *  frame that comes in. */
  until<T>(look: () => T | undefined | false, withinMs?: number): Promise<T>
  close(): Promise<void>
}

export async function startOddPeer(options: OddPeerOptions = {}): Promise<OddPeer> {
  const connections = new Set<OddConnection>()
  const sockets = new Set<Socket>()
  const lookers = new Set<() => void>()
  const look = (): void => {
    for (const each of lookers) each()
  }
  let names = 0
  let accepted = 0
  const shared = {
    nodes: new Nodes(),
    violations: [] as string[],
    declared: [] as string[],
    nextName: () => String((names += 1)),
  }
  const server = createServer({ noDelay: true }, (socket) => {
    accepted += 1
    const connection = new OddConnection(socket, options, shared)
    connections.add(connection)
    sockets.add(socket)
    socket.on('data', look)
    socket.on('close', () => {
      connections.delete(connection)
      sockets.delete(socket)
      look()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    options,
    nodes: shared.nodes,
    violations: shared.violations,
    takeViolations: () => shared.violations.splice(0),
    declared: shared.declared,
    get connections() {
      return [...connections]
    },
    get accepted() {
      return accepted
    },
    links: (address) => [...connections].flatMap((connection) => connection.links(address)),
    until: (found, withinMs = 5_000) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer)
          clearInterval(poll)
          lookers.delete(each)
        }
        const each = (): void => {
          const value = found()
          if (value === undefined || value === false) return
          end()
          resolve(value)
        }
        const timer = setTimeout(() => {
          end()
          reject(new Error(`Nothing was found within ${withinMs} ms: ${found.toString()}`))
        }, withinMs)
        // What does not come with a frame is seen a little later.
        const poll = setInterval(each, 20)
        lookers.add(each)
        each()
      }),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
