import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** `toClient`: what the broker sends. */
export type Direction = 'toClient' | 'toServer'

interface Way {
  hasGap: boolean
  readonly from: Socket
  readonly to: Socket
  held: Buffer[]
}

/** A dumb path between clients and one server: it holds bytes back, joins and splits them, and loses one direction. */
export class OddNetwork {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #pairs = new Set<Readonly<Record<Direction, Way>>>()
  readonly #holding = new Set<Direction>()
  readonly #losing = new Set<Direction>()
  /** Sees bytes before they are passed on. */
  onBytes: (direction: Direction, bytes: Buffer) => void = () => {}
  /** Bytes are passed on in pieces of at most so many; 0: as they come. */
  splitBytes = 0

  private constructor(server: Server, target: number) {
    this.#server = server
    server.on('connection', (client) => this.#accept(client, target))
  }

  /** A way to that port of this machine. */
  static async to(target: number): Promise<OddNetwork> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const network = new OddNetwork(server, target)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return network
  }

  readonly host = '127.0.0.1'

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections whose client has not closed its side. */
  get open(): number {
    return [...this.#pairs].filter(({ toServer: { from } }) => !from.readableEnded && !from.destroyed).length
  }

  /** Keeps what is sent that way until `release`, which passes it on in one piece. */
  hold(direction: Direction): void {
    this.#holding.add(direction)
  }

  /** Bytes of that way which are held back. */
  held(direction: Direction): number {
    let bytes = 0
    for (const pair of this.#pairs) for (const { length } of pair[direction].held) bytes += length
    return bytes
  }

  release(direction: Direction): void {
    this.#holding.delete(direction)
    for (const pair of this.#pairs) {
      const way = pair[direction]
      const bytes = Buffer.concat(way.held)
      way.held = []
      if (bytes.length > 0) this.#pass(way, bytes)
    }
  }

  /** What is sent that way from now on never arrives, and nobody is told. A connection that has lost something is reset
   *  by `heal`, because TCP never goes on behind a gap. */
  lose(direction: Direction): void {
    this.#losing.add(direction)
  }

  /** New bytes arrive again. */
  heal(): void {
    this.#losing.clear()
    this.release('toClient')
    this.release('toServer')
    for (const { toClient, toServer } of this.#pairs) {
      for (const { from, to } of [toClient, toServer]) {
        if (from.readableEnded) to.end()
        if (from.destroyed && !to.destroyed && !to.writableEnded) to.destroySoon()
      }
      if (!toClient.hasGap && !toServer.hasGap) continue
      toClient.from.resetAndDestroy()
      toClient.to.resetAndDestroy()
    }
  }

  /** Resets every connection on both sides. */
  reset(): void {
    for (const { toClient } of this.#pairs) {
      toClient.from.resetAndDestroy()
      toClient.to.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #accept(client: Socket, target: number): void {
    const server = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true })
    const toServer: Way = { from: client, to: server, hasGap: false, held: [] }
    const toClient: Way = { from: server, to: client, hasGap: false, held: [] }
    const pair = { toServer, toClient }
    this.#pairs.add(pair)
    for (const direction of ['toServer', 'toClient'] as const) {
      const way = pair[direction]
      way.from.setNoDelay()
      this.#sockets.add(way.from)
      way.from.on('data', (bytes) => {
        this.onBytes(direction, bytes)
        if (this.#losing.has(direction)) {
          way.hasGap = true
          return
        }
        if (this.#holding.has(direction)) way.held.push(bytes)
        else this.#pass(way, bytes)
      })
      way.from.on('end', () => {
        if (!this.#losing.has(direction)) way.to.end()
      })
      way.from.on('error', () => way.from.destroy())
      way.from.on('close', () => {
        this.#sockets.delete(way.from)
        // Until the other side has heard of it, which it does when the way is healed.
        if (way.to.destroyed) this.#pairs.delete(pair)
        else if (!this.#losing.has(direction)) way.to.destroySoon()
      })
    }
  }

  #pass({ to }: Way, bytes: Buffer): void {
    if (to.destroyed) return
    const size = this.splitBytes
    if (size === 0) return void to.write(bytes)
    for (let at = 0; at < bytes.length; at += size) to.write(bytes.subarray(at, at + size))
  }
}
