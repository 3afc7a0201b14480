import net from 'node:net'

import type { HostPort } from './broker.ts'

export interface FaultProxyOptions {
  /** Default: any free port. */
  readonly port?: number
  /** Writes the transport URL that leads through the proxy. */
  readonly urlFor?: (at: HostPort) => string
}

type Mode = 'pass' | 'stall' | 'blackhole'

interface Pair {
  readonly client: net.Socket
  readonly upstream: net.Socket
  readonly directions: readonly Direction[]
  /** Bytes that went through it since `cutAfter` was last called. */
  seen: number
}

/** A TCP proxy on 127.0.0.1 that breaks connections on command: what a bad network does to a client of a broker. */
export class FaultProxy implements AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Transport URL through the proxy; empty for a proxy that was not made by a broker. */
  readonly url: string
  readonly #target: HostPort
  readonly #server: net.Server
  readonly #pairs = new Set<Pair>()
  /** Connections taken while black-holed: nobody is at the other end. */
  readonly #swallowed = new Set<net.Socket>()
  #mode: Mode = 'pass'
  #resetNew = false
  #delayMs = { client: 0, broker: 0 }
  #cuts = 0
  #cutAfter: number | null = null

  private constructor(target: HostPort, server: net.Server, port: number, options: FaultProxyOptions) {
    this.#target = target
    this.#server = server
    this.host = '127.0.0.1'
    this.port = port
    this.url = options.urlFor?.({ host: this.host, port }) ?? ''
    server.on('connection', (client) => this.#accept(client))
  }

  static async open(target: HostPort, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
    await listen(server, options.port ?? 0)
    const { port } = server.address() as net.AddressInfo
    return new FaultProxy(target, server, port, options)
  }

  /** Open connections through the proxy. */
  get connections(): number {
    return this.#pairs.size + this.#swallowed.size
  }

  /** Connections that the proxy has reset so far, by whichever method. */
  get cuts(): number {
    return this.#cuts
  }

  /** Back to an honest proxy. Stalled bytes flow again; connections that lived through a black hole have lost bytes, so they are reset. */
  pass(): void {
    const lost = this.#mode === 'blackhole'
    this.#mode = 'pass'
    this.#resetNew = false
    this.#delayMs = { client: 0, broker: 0 }
    this.#cutAfter = null
    if (lost) this.reset()
    else this.#each((direction) => direction.flow())
  }

  /** Resets (RST) all open connections, now. Resolves nothing: new ones are taken as before. */
  reset(): void {
    for (const pair of this.#pairs) this.#cut(pair)
    for (const socket of this.#swallowed) socket.resetAndDestroy()
    this.#swallowed.clear()
  }

  /** Ends all open connections towards the client with an orderly FIN. */
  fin(): void {
    for (const { client, upstream } of this.#pairs) {
      client.end()
      upstream.destroy()
    }
  }

  /** Resets every new connection as soon as it is made, until `pass()`. */
  resetNew(): void {
    this.#resetNew = true
  }

  /** Closes the port and resets what is open: connecting is refused until `accept()`. */
  async refuse(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.reset()
    await closed
  }

  /** Opens the port again after `refuse()`. */
  async accept(): Promise<void> {
    if (!this.#server.listening) await listen(this.#server, this.port)
  }

  /** From now on bytes are swallowed in both directions and new connections meet silence: a dead route. Ends with `pass()`. */
  blackhole(): void {
    this.#mode = 'blackhole'
    this.#each((direction) => direction.flow())
  }

  /** Holds bytes back in both directions, old and new connections alike; `pass()` lets them go on. */
  stall(): void {
    this.#mode = 'stall'
    this.#each((direction) => direction.hold())
  }

  /** Delays every byte by `ms` in each direction, or only on its way to the client or to the broker; 0 lifts it. */
  delay(ms: number, towards: 'both' | 'client' | 'broker' = 'both'): void {
    if (towards !== 'broker') this.#delayMs.client = ms
    if (towards !== 'client') this.#delayMs.broker = ms
  }

  /** Resets each connection once it has carried this many bytes, both directions together, counted from now; null lifts it. */
  cutAfter(bytes: number | null): void {
    this.#cutAfter = bytes
    for (const pair of this.#pairs) pair.seen = 0
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of this.#swallowed) socket.destroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(client: net.Socket): void {
    if (this.#resetNew) {
      this.#cuts += 1
      client.resetAndDestroy()
      return
    }
    if (this.#mode === 'blackhole') {
      this.#swallowed.add(client)
      client.on('error', () => client.destroy())
      client.on('close', () => this.#swallowed.delete(client))
      return
    }
    const upstream = net.connect({
      host: this.#target.host,
      port: this.#target.port,
      allowHalfOpen: true,
      noDelay: true,
    })
    const through = (bytes: number): boolean => this.#count(pair, bytes)
    const swallow = (): boolean => this.#mode === 'blackhole'
    const directions = [
      new Direction(client, upstream, { delayMs: () => this.#delayMs.broker, swallow, through }),
      new Direction(upstream, client, { delayMs: () => this.#delayMs.client, swallow, through }),
    ]
    const pair: Pair = { client, upstream, directions, seen: 0 }
    this.#pairs.add(pair)
    // What the target refuses or resets, the client sees refused or reset.
    upstream.on('error', () => this.#cut(pair))
    client.on('error', () => this.#cut(pair))
    const gone = (): void => {
      if (client.destroyed && upstream.destroyed) this.#pairs.delete(pair)
    }
    client.on('close', gone)
    upstream.on('close', gone)
    upstream.once('connect', () => {
      if (this.#mode !== 'stall') for (const direction of directions) direction.flow()
    })
  }

  /** Counts bytes of a connection; false when it has just been cut for them. */
  #count(pair: Pair, bytes: number): boolean {
    pair.seen += bytes
    if (this.#cutAfter === null || pair.seen < this.#cutAfter) return true
    this.#cut(pair)
    return false
  }

  #cut(pair: Pair): void {
    this.#pairs.delete(pair)
    if (!pair.client.destroyed) {
      this.#cuts += 1
      pair.client.resetAndDestroy()
    }
    pair.upstream.destroy()
  }

  #each(act: (direction: Direction) => void): void {
    for (const pair of this.#pairs) for (const direction of pair.directions) act(direction)
  }
}

interface Flow {
  readonly delayMs: () => number
  readonly swallow: () => boolean
  readonly through: (bytes: number) => boolean
}

/** One direction of a connection: bytes leave in the order they came, at the earliest after the delay of their time. */
class Direction {
  readonly #from: net.Socket
  readonly #to: net.Socket
  readonly #flow: Flow
  #held = true
  /** When the last delayed chunk leaves; later ones must not overtake it. */
  #due = 0

  constructor(from: net.Socket, to: net.Socket, flow: Flow) {
    this.#from = from
    this.#to = to
    this.#flow = flow
    from.on('data', (chunk) => this.#take(chunk))
    from.on('end', () => this.#later(() => to.end()))
    from.on('close', () => this.#later(() => to.destroySoon()))
    to.on('drain', () => {
      if (!this.#held) from.resume()
    })
    from.pause()
  }

  flow(): void {
    this.#held = false
    this.#from.resume()
  }

  hold(): void {
    this.#held = true
    this.#from.pause()
  }

  #take(chunk: Buffer): void {
    if (this.#flow.swallow() || !this.#flow.through(chunk.length)) return
    this.#later(() => {
      if (this.#to.destroyed) return
      if (!this.#to.write(chunk)) this.#from.pause()
    })
  }

  #later(act: () => void): void {
    const now = performance.now()
    this.#due = Math.max(now + this.#flow.delayMs(), this.#due)
    if (this.#due <= now) act()
    else setTimeout(act, this.#due - now)
  }
}

function listen(server: net.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
