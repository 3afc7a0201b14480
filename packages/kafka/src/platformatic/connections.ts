import net from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { ClientFault } from '../port/client-port.ts'
import { createExplainFault, type ExplainFault } from '../port/explain-fault.ts'
import { loginAt } from '../port/login.ts'
import type { ClusterSettings, TlsSettings } from '../settings.ts'
import { faultOf } from './fault.ts'
import type { Library, LibraryConnection, LibraryConnectionOptions } from './library.ts'

/** To connect and to log in. */
const CONNECTION_TIMEOUT_MS = 10_000
/** The library's own limit would leave a connection behind that never answers again; here whoever asks has one. */
const NO_TIMEOUT_MS = 2 ** 31 - 1
const MAX_INFLIGHT = 100
const KEEP_ALIVE_MS = 60_000

/** What a connection is for: a fetch waits at the broker for records, and a request behind it on its connection would
 *  wait as well. */
export type Lane = 'control' | 'fetch' | 'leave'

export interface Address {
  readonly host: string
  readonly port: number
}

/** One connection for each broker and lane, made when it is asked over and again after it has ended. */
export class Connections {
  readonly #library: Library
  readonly #settings: ClusterSettings
  readonly #explain: ExplainFault
  readonly #known = new Map<string, Promise<LibraryConnection>>()
  readonly #open = new Set<LibraryConnection>()
  readonly #answered = new WeakSet<LibraryConnection>()
  /** Why a connection ended, where the library has said so. */
  readonly #errors = new WeakMap<LibraryConnection, Error>()
  #isClosed = false

  constructor(library: Library, settings: ClusterSettings) {
    this.#library = library
    this.#settings = settings
    const { tls, sasl } = settings
    this.#explain = createExplainFault({
      protocol: `${sasl === null ? '' : 'SASL_'}${tls === null ? 'PLAINTEXT' : 'SSL'}`,
      tls: tls === null ? undefined : tlsOptions(tls),
      addressOf,
    })
  }

  /** Asks over the connection of that lane, which is made where there is none. One that owes its answer for longer than
   *  `patienceMs` is cut. Rejects with ClientFault. */
  async ask<T>(
    address: Address,
    lane: Lane,
    question: (connection: LibraryConnection) => Promise<T>,
    patienceMs: number,
  ): Promise<T> {
    const host = textOf(address)
    const connection = await this.#connection(address, lane)
    let isSilent = false
    let looking: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      // An answer may have come while this process itself stood still: it is read before this runs.
      looking = setImmediate(() => {
        isSilent = true
        connection.socket?.destroy()
      })
    }, patienceMs)
    try {
      const answer = await question(connection)
      this.#answered.add(connection)
      return answer
    } catch (error) {
      if (!isSilent) throw await this.#explainEnd(connection, faultOf(error, { host }))
      const seconds = Math.round(patienceMs / 1000)
      throw new ClientFault('BrokerSilent', `${host} has not answered for ${seconds} s`, { cause: error, host })
    } finally {
      clearTimeout(timer)
      clearImmediate(looking)
    }
  }

  /** Ends all connections, now and from now on. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#open) {
      // One that is being made would be waited for until its time is up.
      void connection.close()
      connection.socket?.destroy()
    }
    this.#known.clear()
  }

  /** A connection that ends before its first answer may speak another protocol, or its certificate was refused: the
   *  library says that it was closed. */
  async #explainEnd(connection: LibraryConnection, fault: ClientFault): Promise<ClientFault> {
    if (fault.type !== 'ConnectionClosed' || this.#isClosed || this.#answered.has(connection)) return fault
    const reason = this.#errors.get(connection)
    return await this.#explain(reason === undefined ? fault : faultOf(reason, { host: fault.host }))
  }

  async #connection(address: Address, lane: Lane): Promise<LibraryConnection> {
    const key = `${textOf(address)} ${lane}`
    const known = this.#known.get(key)
    if (known !== undefined) return await known
    // Why it has failed may take a moment to find out, in which the next one is there.
    const forget = (): void => {
      if (this.#known.get(key) === connection) this.#known.delete(key)
    }
    const connection = this.#connect(address, forget)
    this.#known.set(key, connection)
    connection.catch(forget)
    return await connection
  }

  async #connect({ host, port }: Address, onEnd: () => void): Promise<LibraryConnection> {
    if (this.#isClosed) throw closed()
    const options = await this.#connectionOptions({ host, port })
    if (this.#isClosed) throw closed()
    const connection = new this.#library.Connection(this.#settings.clientId, options)
    this.#open.add(connection)
    const end = (): void => {
      this.#open.delete(connection)
      onEnd()
      // A socket that ends leaves the library's timer for the next login behind.
      void connection.close()
    }
    // What went wrong is said to whoever waits for an answer.
    connection.on('error', (error) => this.#errors.set(connection, error))
    connection.on('close', end)
    try {
      await connection.connect(host, port)
      connection.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
      if (this.#isClosed) throw closed()
      return connection
    } catch (error) {
      connection.socket?.destroy()
      end()
      if (this.#isClosed) throw closed()
      throw await this.#explain(faultOf(error, { host: textOf({ host, port }) }))
    }
  }

  /** Rejects with what asking the application for its credentials rejects with. */
  async #connectionOptions(address: Address): Promise<LibraryConnectionOptions> {
    const { sasl, credentials } = this.#settings
    const tls = this.#settings.renewTls()
    const options = {
      connectTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: NO_TIMEOUT_MS,
      maxInflights: MAX_INFLIGHT,
      ...(tls === null ? {} : { tls: tlsOptions(tls) }),
      ...(tls === null || net.isIP(address.host) !== 0 ? {} : { tlsServerName: address.host }),
    }
    if (sasl === null) return options
    const { mechanism } = sasl
    return sasl.mechanism === 'OAUTHBEARER'
      ? { ...options, sasl: { mechanism, token: async () => (await sasl.token()).value } }
      : { ...options, sasl: { mechanism, ...(await loginAt(address, sasl, credentials)) } }
  }
}

function closed(): ClientFault {
  return new ClientFault('Closed', 'The client was closed')
}

function tlsOptions({ ca, ...rest }: TlsSettings): ConnectionOptions {
  return { ...rest, ...(ca === undefined ? {} : { ca: [ca] }) }
}

/** Host and port of `host:port`, where an IPv6 address stands in brackets. */
export function addressOf(broker: string): Address | undefined {
  const [, host = '', port = ''] = /^\[?(.+?)\]?:(\d+)$/.exec(broker) ?? []
  return port === '' ? undefined : { host, port: Number(port) }
}

function textOf({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
