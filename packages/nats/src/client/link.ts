import { Lifetime } from '@oslo-messaging/core/driver'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import {
  connect,
  credsAuthenticator,
  headers as emptyHeaders,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'

/** How to reach one server. */
export interface LinkOptions {
  readonly host: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** What is in a `.creds` file. */
  readonly credentials: Uint8Array | undefined
  /** undefined: no TLS unless the server demands it. */
  readonly tls: NodeConnectionOptions['tls'] | undefined
  readonly name: string
  readonly connectTimeoutMs: number
  readonly pingIntervalMs: number
  /** Called once when the connection is gone and nobody closed it. */
  readonly onLost: (error: unknown) => void
}

/** A message as it came. */
export interface Arrival {
  readonly subject: string
  readonly replyTo: string | undefined
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** A word of the server's instead of a message: 503 nobody listens, 408 a pull is over; 0 for a message. */
  readonly status: number
  readonly description: string
}

/** A subscription of one link. */
export interface LinkSubscription {
  /** Ends it; resolves when what was on its way has been handed over. */
  drain(): Promise<void>
}

/** The connection to the server is gone. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost'
}

const NOBODY_LISTENS = 503

/** One connection to one server, without any recovery: what is lost stays lost. */
export class Link {
  readonly host: string
  readonly #connection: NatsConnection
  readonly #lifetime = new Lifetime()
  #isOver = false
  #flushing: Promise<void> | undefined

  private constructor(connection: NatsConnection, { host, onLost }: LinkOptions) {
    this.host = host
    this.#connection = connection
    void connection.closed().then((error) => {
      const wasOver = this.#isOver
      this.#isOver = true
      const lost = new LinkLost(`The connection to ${host} was lost`, { cause: error ?? undefined })
      this.#lifetime.end(lost)
      if (!wasOver) onLost(lost)
    })
  }

  /** Rejects with the client library's error, or the reason of `signal`. */
  static async open(options: LinkOptions, signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted()
    const { host, username, password, credentials, tls, name, connectTimeoutMs, pingIntervalMs } = options
    const opening = connect({
      servers: [host],
      name,
      // The driver recovers what is lost; two owners would fight.
      reconnect: false,
      ignoreClusterUpdates: true,
      noAsyncTraces: true,
      timeout: connectTimeoutMs,
      pingInterval: pingIntervalMs,
      maxPingOut: 2,
      ...(tls === undefined ? {} : { tls }),
      ...(username === undefined ? {} : { user: username, pass: password ?? '' }),
      ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(credentials) }),
    })
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    )
    try {
      return new Link(await Promise.race([opening, aborted]), options)
    } catch (error) {
      opening.then(
        (late) => late.close(),
        () => undefined,
      )
      throw error
    }
  }

  get isOpen(): boolean {
    return !this.#isOver
  }

  /** Of the server; null when it does not say. */
  get version(): string | null {
    return this.#connection.info?.version ?? null
  }

  /** Bytes that one message may take with its headers. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? Infinity
  }

  /** Writes one message; what comes of it is not known. Throws when the connection is gone. */
  publish(
    subject: string,
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>>,
    replyTo?: string,
  ): void {
    if (this.#isOver) throw new LinkLost(`The connection to ${this.host} was lost`)
    const written = emptyHeaders()
    for (const [name, value] of Object.entries(headers)) written.append(name, value)
    this.#connection.publish(subject, body, {
      ...(Object.keys(headers).length === 0 ? {} : { headers: written }),
      ...(replyTo === undefined ? {} : { reply: replyTo }),
    })
  }

  /** Resolves when the server has taken all that was published before; rejects with LinkLost. Those who ask in one turn
   *  of the event loop share one question. */
  flush(): Promise<void> {
    this.#flushing ??= Promise.resolve().then(() => {
      this.#flushing = undefined
      return this.orLost(this.#connection.flush())
    })
    return this.#flushing
  }

  /** Settles as `promise` does, or rejects with LinkLost. */
  orLost<T>(promise: Promise<T>): Promise<T> {
    return this.#lifetime.race(promise)
  }

  /** `onArrival` must not throw. A refusal by the server ends the connection, because nothing else tells of it. */
  subscribe(subject: string, onArrival: (arrival: Arrival) => void, queue?: string): LinkSubscription {
    const subscription = this.#connection.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error === null) onArrival(read(message))
        else if (!this.#isOver) void this.#connection.close()
      },
    })
    return {
      drain: () => (this.#isOver ? Promise.resolve() : this.orLost(subscription.drain()).catch(() => undefined)),
    }
  }

  async jetStream(timeoutMs: number): Promise<JetStreamManager> {
    return await jetstreamManager(this.#connection, { timeout: timeoutMs, checkAPI: false })
  }

  /** Hangs up; what was published is written first, unless `signal` aborts. */
  async close(signal?: AbortSignal): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    const flushed = this.#connection.flush().catch(() => undefined)
    if (signal !== undefined && !signal.aborted) {
      const cut = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      await Promise.race([flushed, cut])
    }
    await this.#connection.close()
  }
}

/** Whether the server says that nobody listens to a subject. */
export function isRefusal(arrival: Arrival): boolean {
  return arrival.status === NOBODY_LISTENS
}

function read(message: Msg): Arrival {
  const headers: Record<string, string> = {}
  for (const name of message.headers?.keys() ?? []) headers[name] = message.headers?.last(name) ?? ''
  return {
    subject: message.subject,
    replyTo: message.reply,
    body: message.data,
    headers,
    status: message.headers?.code ?? 0,
    description: message.headers?.description ?? '',
  }
}
