import net from 'node:net'
import tls from 'node:tls'

/** Keys of the requests that matter here: bytes 5 and 6 of a Kafka request. */
const PRODUCE = 0
const FETCH = 1
const KEEP_ALIVE_MS = 60_000

/** What the client library asks of a socket factory. */
export interface SocketRequest {
  readonly host: string
  readonly port: number
  readonly ssl: tls.ConnectionOptions
  readonly onConnect: () => void
}

/** The sockets of one client. The client library opens and closes them; this knows which carries fetches, whether a produce request was ever written, and can cut them. */
export class Sockets {
  readonly #open = new Set<net.Socket>()
  readonly #fetching = new Set<net.Socket>()
  readonly #aliases: ReadonlyMap<string, string>
  #produceRequests = 0

  /** `aliases`: names the library is given for hosts it cannot take, and the hosts. */
  constructor(aliases: ReadonlyMap<string, string> = new Map()) {
    this.#aliases = aliases
  }

  /** Produce requests written so far, on all connections. */
  get produceRequests(): number {
    return this.#produceRequests
  }

  /** Host and port of what the library calls `name:port`. */
  addressOf(broker: string): { readonly host: string; readonly port: number } | undefined {
    const [, name = '', port = ''] = /^(.+):(\d+)$/.exec(broker) ?? []
    return port === '' ? undefined : { host: this.#aliases.get(name) ?? name, port: Number(port) }
  }

  /** Cuts the connections that carry fetches: an open fetch would otherwise be waited for. */
  cutFetches(): void {
    for (const socket of this.#fetching) cut(socket)
  }

  cutAll(): void {
    for (const socket of this.#open) cut(socket)
  }

  readonly open = ({ host: name, port, ssl, onConnect }: SocketRequest): net.Socket => {
    const host = this.#aliases.get(name) ?? name
    // tls.connect checks the certificate against `host` itself when it is an address.
    const socket = ssl
      ? tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#fetching.delete(socket)
    })
    this.#watchWrites(socket)
    return socket
  }

  /** Looks at the request key of what is written; the library writes each request whole. */
  #watchWrites(socket: net.Socket): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    const watched = (...args: unknown[]): boolean => {
      const key = requestKey(args[0])
      if (key === PRODUCE) this.#produceRequests += 1
      else if (key === FETCH) this.#fetching.add(socket)
      return write(...args)
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
