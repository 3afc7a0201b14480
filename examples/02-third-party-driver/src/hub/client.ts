import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Answer, type Ask, type Delivery, readLines } from './protocol.ts'

interface Pending {
  readonly resolve: (taken: number) => void
  readonly reject: (error: Error) => void
}

/** The connection to the hub was lost, or could not be made. */
export class HubLost extends Error {}

/** The hub's client library: one socket, no recovery. */
export class HubClient {
  readonly #socket: Socket
  readonly #pending = new Map<string, Pending>()

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Rejects with HubLost. `onDelivery` gets what subscriptions bring, `onLost` is called once, at the end. */
  static async connect(
    { host, port, signal }: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
    onDelivery: (delivery: Delivery) => void,
    onLost: (error: HubLost) => void,
  ): Promise<HubClient> {
    const socket = connect({ host, port, noDelay: true })
    const client = new HubClient(socket)
    try {
      await once(socket, 'connect', { signal })
    } catch (cause) {
      socket.destroy()
      throw new HubLost(`No connection to the hub at ${host}:${port}`, { cause })
    }
    // 'close' follows, and tells all there is to tell.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      const error = new HubLost('The connection to the hub was lost')
      for (const { reject } of client.#pending.values()) reject(error)
      onLost(error)
    })
    readLines(socket, (line) => {
      const answer = JSON.parse(line) as Answer
      if ('as' in answer) return onDelivery(answer)
      client.#pending.get(answer.id)?.resolve(answer.taken)
      client.#pending.delete(answer.id)
    })
    return client
  }

  /** Resolves with what the hub answers; rejects with HubLost. The hub does what has the same id once. */
  ask(id: string, request: Ask): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#socket.closed) return reject(new HubLost('The connection to the hub was lost'))
      // A socket that ends takes nothing, and has not told so yet: 'close' rejects this, after the driver knows of the
      // loss. Rejected at once, it would be asked again at once, and the loop that does so would let no event in.
      this.#pending.set(id, { resolve, reject })
      if (this.#socket.writable) this.#socket.write(`${JSON.stringify({ ...request, id })}\n`)
    })
  }

  /** For what needs no answer. */
  tell(request: Ask): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify({ ...request, id: '' })}\n`)
  }

  /** Gives the connection up; `onLost` is told. */
  cut(): void {
    this.#socket.destroy()
  }

  /** Hangs up once everything is written, or at once when `signal` aborts. */
  async end(signal?: AbortSignal): Promise<void> {
    if (this.#socket.closed) return
    const closed = once(this.#socket, 'close')
    const cut = (): void => void this.#socket.destroy()
    signal?.addEventListener('abort', cut, { once: true })
    this.#socket.end()
    if (signal?.aborted) cut()
    await closed
    signal?.removeEventListener('abort', cut)
  }
}
