import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices'
import type {
  CallOptions,
  Messaging,
  Notifier,
  NotifierOptions,
  PrepareOptions,
  TargetFields,
} from '@oslo-messaging/core'

/** Data of a call, cast or notification, with what goes beside it: `client.send('build', new OsloRecord({ name }, {
 *  context }))`. */
export class OsloRecord<T = unknown> {
  readonly data: T
  readonly context: object | null
  readonly options: Pick<CallOptions, 'headers' | 'timeoutMs'>
  constructor(data: T, beside: { readonly context?: object | null } & Pick<CallOptions, 'headers' | 'timeoutMs'> = {}) {
    const { context = null, ...options } = beside
    this.data = data
    this.context = context
    this.options = options
  }
}

/** A method by name, or with changes of the target: `{ method: 'build', version: '1.4', server: 'node1' }`. */
export type OsloPattern = string | ({ readonly method: string } & PrepareOptions)

/** Settings of a client. */
export interface OsloClientOptions {
  /** Whom it calls. */
  readonly target: TargetFields
  /** For `emit`. */
  readonly notifier?: NotifierOptions
}

/** A client in Nest's own style. `send` calls: nothing happens before somebody subscribes, and unsubscribing ends the
 *  call. `emit` with an event type sends a notification, and with `{ method }` a cast. Errors are those of the library,
 *  with code, phase and delivery. `InjectRpcClient` gives a typed client with promises instead. */
export class OsloClient extends ClientProxy {
  readonly #messaging: Messaging
  readonly #options: OsloClientOptions
  #notifier: Notifier | undefined

  constructor(messaging: Messaging, options: OsloClientOptions) {
    super()
    this.#messaging = messaging
    this.#options = options
  }

  /** Connections are opened when they are needed. */
  async connect(): Promise<Messaging> {
    return this.#messaging
  }

  /** Whoever made the `Messaging` ends it. */
  close(): void {}

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is Nest's
  unwrap<T = Messaging>(): T {
    return this.#messaging as T
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const ending = new AbortController()
    void this.#answer(packet, ending.signal, callback)
    return () => ending.abort()
  }

  protected async dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    const { data, context, options } = recordOf(packet.data)
    const pattern: OsloPattern = packet.pattern
    if (typeof pattern === 'string') {
      this.#notifier ??= this.#messaging.notifier(this.#options.notifier)
      await this.#notifier.info(context, pattern, data, options)
    } else {
      const { method, ...changes } = pattern
      const client = this.#messaging.client(this.#options.target).prepare(changes)
      await client.cast(context, method, argumentsOf(data), options)
    }
    return undefined as T
  }

  async #answer(packet: ReadPacket, signal: AbortSignal, callback: (packet: WritePacket) => void): Promise<void> {
    let answer: WritePacket
    try {
      answer = { response: await this.#call(packet, signal), isDisposed: true }
    } catch (error) {
      answer = { err: error }
    }
    callback(answer)
  }

  async #call(packet: ReadPacket, signal: AbortSignal): Promise<unknown> {
    const { data, context, options } = recordOf(packet.data)
    const pattern: OsloPattern = packet.pattern
    const { method, ...changes } = typeof pattern === 'string' ? { method: pattern } : pattern
    const client = this.#messaging.client(this.#options.target).prepare(changes)
    return await client.call(context, method, argumentsOf(data), { ...options, signal })
  }
}

function recordOf(data: unknown): OsloRecord {
  return data instanceof OsloRecord ? data : new OsloRecord(data)
}

/** Arguments are named; core refuses what is no object and says so. */
function argumentsOf(data: unknown): Readonly<Record<string, unknown>> {
  return (data ?? {}) as Readonly<Record<string, unknown>>
}
