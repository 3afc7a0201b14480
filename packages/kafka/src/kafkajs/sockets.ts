import net from 'node:net'
import tls from 'node:tls'
import { Answers } from './answers.ts'
import { RequestBodies } from './request-bodies.ts'

/** Keys of requests: bytes 5 and 6 of a Kafka request. */
const PRODUCE = 0
const FETCH = 1
const LOOK_MS = 1000
const KEEP_ALIVE_MS = 60_000

/** What the client library asks of a socket factory. */
export interface SocketRequest {
  readonly host: string
  readonly port: number
  readonly ssl: tls.ConnectionOptions
  readonly onConnect: () => void
}

/** The sockets of one client. The client library opens and closes them; this knows which carries fetches and which owes
 *  an answer, and can cut them. */
export class Sockets {
  /** Of requests that are written without copying them. */
  readonly bodies: RequestBodies = new RequestBodies()
  readonly #open = new Set<net.Socket>()
  readonly #fetching = new Set<net.Socket>()
  readonly #aliases: ReadonlyMap<string, string>
  readonly #renewTls: () => tls.ConnectionOptions | undefined
  readonly #answers = new Map<net.Socket, Answers>()
  #watching: NodeJS.Timeout | undefined
  #isClosed = false

  /** `aliases`: names the library is given for hosts it cannot take, and the hosts. `renewTls`: the TLS options of a
   *  new connection. */
  constructor(aliases: ReadonlyMap<string, string>, renewTls: () => tls.ConnectionOptions | undefined) {
    this.#aliases = aliases
    this.#renewTls = renewTls
  }

  /** Host and port of what the library calls `name:port`. */
  addressOf(broker: string): { readonly host: string; readonly port: number } | undefined {
    const [, name = '', port = ''] = /^(.+):(\d+)$/.exec(broker) ?? []
    return port === '' ? undefined : { host: this.#aliases.get(name) ?? name, port: Number(port) }
  }

  /** Calls back with the address of a broker that owes an answer for longer than `patienceMs`, until it is called off:
   *  its process is frozen, or the way to it is dead. */
  watchSilence(patienceMs: number, onSilence: (broker: string) => void): () => void {
    let last = performance.now()
    this.#watching = setInterval(() => {
      const now = performance.now()
      // Answers may have come while this process itself stood still.
      const wasAway = now - last > 2 * LOOK_MS
      last = now
      if (wasAway) return
      for (const [socket, answers] of this.#answers) {
        const since = answers.waitingSince
        if (since !== undefined && now - since > patienceMs)
          return onSilence(`${socket.remoteAddress}:${socket.remotePort}`)
      }
    }, LOOK_MS)
    this.#watching.unref()
    return () => clearInterval(this.#watching)
  }

  /** Cuts the connections that carry fetches: an open fetch would otherwise be waited for. */
  cutFetches(): void {
    for (const socket of this.#fetching) cut(socket)
  }

  cutAll(): void {
    for (const socket of this.#open) cut(socket)
  }

  /** Cuts all, now and from now on: what the library still has under way would connect again, and nobody would end
   *  it. */
  close(): void {
    this.#isClosed = true
    this.cutAll()
  }

  readonly open = ({ host: name, port, ssl, onConnect }: SocketRequest): net.Socket => {
    if (this.#isClosed) return new net.Socket().destroy(new Error('The client was closed'))
    const host = this.#aliases.get(name) ?? name
    // tls.connect checks the certificate against `host` itself when it is an address.
    const socket = ssl
      ? tls.connect(
          { host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl, ...this.#renewTls() },
          onConnect,
        )
      : net.connect({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    this.#open.add(socket)
    const answers = new Answers()
    this.#answers.set(socket, answers)
    socket.on('data', (chunk: Buffer) => answers.received(chunk))
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#fetching.delete(socket)
      this.#answers.delete(socket)
    })
    this.#watchWrites(socket)
    return socket
  }

  /** Looks at the request key of what is written: the library writes each request whole, but for a body that is kept
   *  here. */
  #watchWrites(socket: net.Socket): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    const watched = (...args: unknown[]): boolean => {
      const [data] = args
      const key = requestKey(data)
      if (key !== undefined) this.#answers.get(socket)?.asked(key, performance.now())
      if (key === FETCH) this.#fetching.add(socket)
      const parts = key === PRODUCE ? this.bodies.take(data as Buffer) : undefined
      if (parts === undefined) return write(...args)
      if (parts === 'forgotten') {
        // The library held it back until its senders were told that nobody knows what became of it.
        cut(socket)
        return false
      }
      // One system call for both.
      socket.cork()
      write(parts.head)
      const hasRoom = write(parts.body, (error?: Error | null) => {
        if (!error) this.bodies.release(parts.body)
      })
      socket.uncork()
      return hasRoom
    }
    socket.write = watched
  }
}

function requestKey(data: unknown): number | undefined {
  return Buffer.isBuffer(data) && data.length > 6 ? data.readInt16BE(4) : undefined
}

function cut(socket: net.Socket): void {
  // With an error, because the library waits for answers on a socket that merely closes.
  if (!socket.destroyed) socket.destroy(new Error('The connection was cut by its owner'))
}
