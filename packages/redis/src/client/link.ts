import { type Clock, Lifetime } from '@oslo-messaging/core/driver'
import { createClient } from '@redis/client'

/** How to reach one server. */
export interface LinkOptions {
  readonly host: string
  readonly hostname: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
  readonly name: string
  readonly connectTimeoutMs: number
  readonly pingIntervalMs: number
  readonly clock: Clock
  /** Called once when the connection is gone and nobody closed it. */
  readonly onLost: (error: unknown) => void
}

/** One message of a stream. */
export interface Entry {
  /** `<milliseconds of the server's clock>-<number>`. */
  readonly id: string
  readonly fields: Readonly<Record<string, string>>
}

/** The connection to the server is gone. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost'
}

type Client = ReturnType<typeof connectionOf>
type Argument = string | number

/** One connection to one server, for commands and for what the server pushes, without any recovery. */
export class Link {
  readonly host: string
  readonly database: number
  readonly #client: Client
  readonly #options: LinkOptions
  readonly #lifetime = new Lifetime()
  #isOver = false
  #isReady = false
  #heart: unknown
  /** What the server's clock shows when ours is at 0. */
  #offset = 0

  private constructor(client: Client, options: LinkOptions) {
    this.#client = client
    this.#options = options
    this.host = options.host
    this.database = options.database
  }

  /** Rejects with the client library's error, or the reason of `signal`. */
  static async open(options: LinkOptions, signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted()
    const client = connectionOf(options)
    const link = new Link(client, options)
    let failure: unknown
    client.on('error', (error: unknown) => {
      failure ??= error
      link.#end(error)
    })
    client.on('end', () => link.#end(failure))
    const cut = (): void => client.destroy()
    signal.addEventListener('abort', cut, { once: true })
    try {
      await client.connect()
      const sentAt = options.clock.now()
      const [seconds, micros] = (await link.ask('TIME')) as readonly string[]
      const now = (sentAt + options.clock.now()) / 2
      link.#offset = Number(seconds) * 1000 + Number(micros) / 1000 - now
      link.#isReady = true
      link.#beat()
      return link
    } catch (error) {
      link.#isOver = true
      if (client.isOpen) client.destroy()
      if (signal.aborted) throw signal.reason
      throw failure ?? error
    } finally {
      signal.removeEventListener('abort', cut)
    }
  }

  get isOpen(): boolean {
    return !this.#isOver
  }

  /** Milliseconds since 1970 by the server's clock, which all of its clients share. */
  get serverTime(): number {
    return this.#options.clock.now() + this.#offset
  }

  /** One command; several that are given in one turn leave in their order. Rejects with the server's error or
   *  LinkLost. */
  ask(command: string, ...args: readonly Argument[]): Promise<unknown> {
    if (this.#isOver) return Promise.reject(new LinkLost(`The connection to ${this.host} was lost`))
    const asked = this.#client.sendCommand([command, ...args.map(String)])
    return this.#lifetime.race(asked)
  }

  /** Calls `onTold` for each message of the channel. */
  async hear(channel: string, onTold: (text: string) => void): Promise<void> {
    await this.#lifetime.race(this.#client.subscribe(channel, onTold))
  }

  async unhear(channel: string): Promise<void> {
    if (!this.#isOver) await this.#lifetime.race(this.#client.unsubscribe(channel))
  }

  /** Hangs up; waits for the answers to what was asked, unless `signal` aborts. */
  async close(signal?: AbortSignal): Promise<void> {
    if (this.#isOver) return
    if (signal === undefined || !signal.aborted) {
      const answered = this.ask('PING').catch(() => undefined)
      const cut = new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }))
      await Promise.race([answered, cut])
    }
    this.#isOver = true
    this.#options.clock.clearTimeout(this.#heart)
    if (this.#client.isOpen) this.#client.destroy()
    this.#lifetime.end(new LinkLost('The connection was closed'))
  }

  /** Asks now and then: a server that is silent for two intervals is lost. A timeout of the socket would not do,
   *  because what is written counts as a sign of life there. */
  #beat(): void {
    const { clock, pingIntervalMs } = this.#options
    let silentSince = clock.now()
    const ask = (): void => {
      this.ask('PING').then(
        () => (silentSince = clock.now()),
        // Whatever ended it has been told of.
        () => undefined,
      )
      this.#heart = clock.setTimeout(() => {
        if (clock.now() - silentSince >= pingIntervalMs * 2) this.#end(new Error('No answer to pings'))
        else ask()
      }, pingIntervalMs)
    }
    ask()
  }

  #end(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.clock.clearTimeout(this.#heart)
    const lost = new LinkLost(`The connection to ${this.host} was lost`, { cause: reason })
    this.#lifetime.end(lost)
    if (this.#client.isOpen) this.#client.destroy()
    if (this.#isReady) this.#options.onLost(lost)
  }
}

function connectionOf(options: LinkOptions) {
  const { hostname, port, username, password, database, tls, name, connectTimeoutMs } = options
  const socket = {
    host: hostname,
    port,
    connectTimeout: connectTimeoutMs,
    // The driver recovers what is lost; two owners would fight.
    reconnectStrategy: false,
  } as const
  return createClient({
    RESP: 3,
    socket: tls === undefined ? socket : { ...socket, tls: true, ...tls },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    name: name.replaceAll(/[^\x21-\x7E]/g, '-'),
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
  })
}

/** The messages in an answer to XREAD, XREADGROUP, XRANGE or XAUTOCLAIM; those that are deleted are left out. */
export function entriesOf(value: unknown): Entry[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry: unknown) => {
    if (!Array.isArray(entry)) return []
    const [id, pairs] = entry as readonly unknown[]
    if (typeof id !== 'string' || !Array.isArray(pairs)) return []
    const fields: Record<string, string> = {}
    for (let n = 0; n + 1 < pairs.length; n += 2) fields[String(pairs[n])] = String(pairs[n + 1])
    return [{ id, fields }]
  })
}

/** The messages of the one stream in an answer to XREAD or XREADGROUP; an empty answer is null. */
export function streamOf(answer: unknown): Entry[] {
  if (answer === null || typeof answer !== 'object') return []
  // RESP3 gives a map from stream to messages.
  const [messages] = answer instanceof Map ? [...answer.values()] : Object.values(answer)
  return entriesOf(messages)
}
