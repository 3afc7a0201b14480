import net from 'node:net'

import { Direction } from './direction.ts'
import { Random } from './random.ts'

/** A TCP address. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** How a proxy is opened. */
export interface FaultProxyOptions {
  /** Default: any free port. */
  readonly port?: number
  /** Writes the transport URL that leads through the proxy. */
  readonly urlFor?: (at: HostPort) => string
  /** Repeats where `split` cuts. Default: `proxy`. */
  readonly seed?: string
}

/** Which way bytes go: to the client of the broker, to the broker, or both. */
export type Towards = 'both' | 'client' | 'broker'

interface Pair {
  readonly client: net.Socket
  readonly upstream: net.Socket
  readonly toBroker: Direction
  readonly toClient: Direction
  /** Bytes that went through it since `cutAfter` was last called. */
  seen: number
}

/** What is done to bytes of one direction. */
interface Trouble {
  delayMs: number
  bytesPerSecond: number | null
  isDropped: boolean
  isHeld: boolean
}

const NO_TROUBLE: Trouble = { delayMs: 0, bytesPerSecond: null, isDropped: false, isHeld: false }

/** A TCP proxy on 127.0.0.1 that breaks connections on command: what a bad network does to a client of a broker. It
 *  knows no protocol, so it stands before any broker that does not send its clients elsewhere, TLS or not. */
export class FaultProxy implements AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Transport URL through the proxy; empty for a proxy that was not given `urlFor`. */
  readonly url: string
  readonly #target: HostPort
  readonly #server: net.Server
  readonly #random: Random
  readonly #pairs = new Set<Pair>()
  /** Connections of clients whose other end is gone without a word. */
  readonly #swallowed = new Set<net.Socket>()
  readonly #trouble = { client: { ...NO_TROUBLE }, broker: { ...NO_TROUBLE } }
  #isBlackHole = false
  #resetNew = false
  #pieceBytes: number | null = null
  #cuts = 0
  #cutAfter: number | null = null

  private constructor(target: HostPort, server: net.Server, port: number, options: FaultProxyOptions) {
    this.#target = target
    this.#server = server
    this.#random = new Random(options.seed ?? 'proxy')
    this.host = '127.0.0.1'
    this.port = port
    this.url = options.urlFor?.({ host: this.host, port }) ?? ''
    server.on('connection', (client) => this.#accept(client))
  }

  /** Listens before `target`. Rejects when the port cannot be had. */
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

  /** Back to an honest proxy. Stalled bytes flow again; connections that have lost bytes are reset. */
  pass(): void {
    const { client, broker } = this.#trouble
    const hasLost = this.#isBlackHole || client.isDropped || broker.isDropped
    this.#isBlackHole = false
    this.#resetNew = false
    this.#pieceBytes = null
    this.#cutAfter = null
    Object.assign(client, NO_TROUBLE)
    Object.assign(broker, NO_TROUBLE)
    if (hasLost) this.reset()
    else {
      this.#resetSwallowed()
      this.#flow()
    }
  }

  /** Resets (RST) all open connections, now. New ones are taken as before. */
  reset(): void {
    for (const pair of this.#pairs) this.#cut(pair)
    this.#resetSwallowed()
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

  /** From now on bytes are swallowed in both directions and new connections meet silence: a dead route. Ends with
   *  `pass()`. */
  blackhole(): void {
    this.#isBlackHole = true
    this.#flow()
  }

  /** The broker loses every open connection and their clients are not told: what they write vanishes. New connections
   *  work. `pass()` resets what is left of them. */
  halfOpen(): void {
    for (const { client, upstream, toBroker, toClient } of this.#pairs) {
      toBroker.detach()
      toClient.detach()
      this.#swallow(client)
      upstream.destroy()
    }
    this.#pairs.clear()
  }

  /** Swallows the bytes of one direction, of old and new connections alike, until `pass()`. */
  drop(towards: Towards): void {
    for (const trouble of this.#towards(towards)) trouble.isDropped = true
    this.#flow()
  }

  /** Holds bytes back, of old and new connections alike; `pass()` lets them go on. */
  stall(towards: Towards = 'both'): void {
    for (const trouble of this.#towards(towards)) trouble.isHeld = true
    this.#flow()
  }

  /** Delays every byte by `ms` in each direction, or only on its way to the client or to the broker; 0 lifts it. */
  delay(ms: number, towards: Towards = 'both'): void {
    for (const trouble of this.#towards(towards)) trouble.delayMs = ms
  }

  /** Lets no more than so many bytes a second through each direction of each connection; null lifts it. */
  slow(bytesPerSecond: number | null, towards: Towards = 'both'): void {
    for (const trouble of this.#towards(towards)) trouble.bytesPerSecond = bytesPerSecond
  }

  /** Hands bytes over in pieces of 1 to `maxBytes`, each in a packet of its own, cut where the seed says; null lifts
   *  it. */
  split(maxBytes: number | null): void {
    this.#pieceBytes = maxBytes
  }

  /** Resets each connection once it has carried this many bytes, both directions together, counted from now; null
   *  lifts it. */
  cutAfter(bytes: number | null): void {
    this.#cutAfter = bytes
    for (const pair of this.#pairs) pair.seen = 0
  }

  /** Closes the port and destroys what is open. */
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

  #towards(towards: Towards): readonly Trouble[] {
    const { client, broker } = this.#trouble
    return towards === 'both' ? [client, broker] : [this.#trouble[towards]]
  }

  #accept(client: net.Socket): void {
    if (this.#resetNew) {
      this.#cuts += 1
      client.resetAndDestroy()
      return
    }
    if (this.#isBlackHole) {
      client.on('error', () => client.destroy())
      this.#swallow(client)
      return
    }
    const { host, port } = this.#target
    const upstream = net.connect({ host, port, allowHalfOpen: true, noDelay: true })
    const pair: Pair = {
      client,
      upstream,
      toBroker: this.#direct(client, upstream, this.#trouble.broker, (bytes) => this.#count(pair, bytes)),
      toClient: this.#direct(upstream, client, this.#trouble.client, (bytes) => this.#count(pair, bytes)),
      seen: 0,
    }
    this.#pairs.add(pair)
    // What the target refuses or resets, the client sees refused or reset.
    upstream.on('error', () => this.#cut(pair))
    client.on('error', () => this.#cut(pair))
    const gone = (): void => {
      if (client.destroyed && upstream.destroyed) this.#pairs.delete(pair)
    }
    client.on('close', gone)
    upstream.on('close', gone)
    upstream.once('connect', () => this.#flow())
  }

  #direct(from: net.Socket, to: net.Socket, trouble: Trouble, through: (bytes: number) => boolean): Direction {
    return new Direction(from, to, {
      delayMs: () => trouble.delayMs,
      bytesPerSecond: () => trouble.bytesPerSecond,
      pieceBytes: () => (this.#pieceBytes === null ? null : this.#random.between(1, this.#pieceBytes)),
      swallow: () => this.#isBlackHole || trouble.isDropped,
      through,
    })
  }

  #swallow(client: net.Socket): void {
    this.#swallowed.add(client)
    client.on('end', () => client.destroy())
    client.on('close', () => this.#swallowed.delete(client))
    client.resume()
  }

  #resetSwallowed(): void {
    for (const socket of this.#swallowed) socket.resetAndDestroy()
    this.#swallowed.clear()
  }

  /** Lets go, or holds, what the troubles say. */
  #flow(): void {
    const { client, broker } = this.#trouble
    for (const { upstream, toBroker, toClient } of this.#pairs) {
      if (upstream.connecting) continue
      if (broker.isHeld && !this.#isBlackHole) toBroker.hold()
      else toBroker.flow()
      if (client.isHeld && !this.#isBlackHole) toClient.hold()
      else toClient.flow()
    }
  }

  /** Counts bytes of a connection; false when it has just been cut for them. */
  #count(pair: Pair, bytes: number): boolean {
    pair.seen += bytes
    if (this.#cutAfter === null || pair.seen < this.#cutAfter) return true
    this.#cut(pair)
    return false
  }

  #cut(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return
    if (!pair.client.destroyed) {
      this.#cuts += 1
      pair.client.resetAndDestroy()
    }
    pair.upstream.destroy()
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
