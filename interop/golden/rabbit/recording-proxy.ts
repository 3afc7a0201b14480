import net from 'node:net'

import { FrameReader, type WireFrame } from './frame-reader.ts'

/** A method as it passed, with the connection it passed on. */
export interface RecordedFrame extends WireFrame {
  /** Of this proxy: 1, 2, 3... */
  readonly connection: number
  /** Seen from our library, as in the vectors. */
  readonly direction: 'sent' | 'received'
  /** Milliseconds of `performance.now()`. */
  readonly at: number
}

/** Stands in front of a RabbitMQ, passes everything on and writes down every method of both directions. */
export class RecordingProxy implements AsyncDisposable {
  readonly port: number
  readonly #server: net.Server
  readonly #sockets: Set<net.Socket>
  readonly #frames: RecordedFrame[]
  readonly #lookers: Set<() => void>

  private constructor(server: net.Server, sockets: Set<net.Socket>, frames: RecordedFrame[], lookers: Set<() => void>) {
    this.#server = server
    this.#sockets = sockets
    this.#frames = frames
    this.#lookers = lookers
    this.port = (server.address() as net.AddressInfo).port
  }

  static async open(broker: { readonly host: string; readonly port: number }): Promise<RecordingProxy> {
    const sockets = new Set<net.Socket>()
    const frames: RecordedFrame[] = []
    let connections = 0
    const lookers = new Set<() => void>()
    const server = net.createServer({ noDelay: true }, (client) => {
      connections += 1
      const connection = connections
      const upstream = net.connect({ ...broker, noDelay: true })
      const record =
        (direction: RecordedFrame['direction']) =>
        (frame: WireFrame): void => {
          frames.push({ ...frame, connection, direction, at: performance.now() })
          for (const look of lookers) look()
        }
      for (const [from, to, direction] of [
        [client, upstream, 'sent'],
        [upstream, client, 'received'],
      ] as const) {
        const reader = new FrameReader(record(direction))
        sockets.add(from)
        from.on('data', (bytes) => {
          reader.read(bytes)
          to.write(bytes)
        })
        from.on('error', () => from.destroy())
        from.on('close', () => {
          sockets.delete(from)
          to.destroySoon()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new RecordingProxy(server, sockets, frames, lookers)
  }

  /** Everything so far, in the order it passed. */
  get frames(): readonly RecordedFrame[] {
    return this.#frames
  }

  /** Resolves when so many frames that match have passed; rejects with what did pass after `timeoutMs`. */
  async seen(count: number, matches: (frame: RecordedFrame) => boolean, timeoutMs = 10_000): Promise<void> {
    const found = (): number => this.#frames.filter(matches).length
    if (found() >= count) return
    await new Promise<void>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#lookers.delete(look)
      }
      const look = (): void => {
        if (found() < count) return
        finish()
        resolve()
      }
      const timer = setTimeout(() => {
        finish()
        const passed = this.#frames.map(({ direction, method }) => `${direction} ${method}`).join(', ')
        reject(new Error(`Only ${found()} of ${count} frames came within ${timeoutMs} ms; these did: ${passed}`))
      }, timeoutMs)
      this.#lookers.add(look)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
