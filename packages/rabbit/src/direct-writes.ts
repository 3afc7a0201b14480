import { Socket } from 'node:net'

/** Up to so many bytes are copied into one buffer; more go as they are, because copying them costs more than it saves. */
const COPY_LIMIT = 64 * 1024

/** Gives an amqplib connection a shorter way to its socket: what all channels write in one turn of the event loop becomes one system call.
 *  amqplib leads every frame through a stream per channel and a multiplexer and writes each on its own. That fairness between channels is worth nothing to this
 *  driver, which bounds what is outstanding itself (DESIGN D5); the streams were a third of the work of a call, and 64 replies finished together were 64 packets.
 *  Gives the socket, or undefined when amqplib is built otherwise than expected; then it works as it comes. */
export function writeDirectly(connection: object): Socket | undefined {
  const socket: unknown = Reflect.get(connection, 'stream')
  if (!(socket instanceof Socket)) return undefined
  const channels: unknown = Reflect.get(connection, 'channels')
  const freshChannel: unknown = Reflect.get(connection, 'freshChannel')
  if (!Array.isArray(channels) || typeof freshChannel !== 'function') return socket
  const writer = new CoalescingWriter(socket)
  // Channel 0 belongs to the connection itself; the others come with their stream, which is replaced.
  replaceBuffer(channels[0], writer)
  Reflect.set(connection, 'freshChannel', (...parameters: unknown[]): unknown => {
    const number: unknown = Reflect.apply(freshChannel, connection, parameters)
    if (typeof number === 'number') replaceBuffer(channels[number], writer)
    return number
  })
  // Heartbeats pass the channels by: they have to come after what was written before them.
  Reflect.set(connection, 'sendBytes', (bytes: Uint8Array) => {
    Reflect.set(connection, 'sentSinceLastCheck', true)
    writer.write(bytes)
  })
  flushBeforeEnd(socket, writer)
  return socket
}

/** What amqplib's channels need of the stream they write to. */
class CoalescingWriter {
  readonly #socket: Socket
  #chunks: Uint8Array[] = []
  #size = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  write(chunk: Uint8Array): boolean {
    if (this.#chunks.length === 0) setImmediate(() => this.flush())
    this.#chunks.push(chunk)
    this.#size += chunk.length
    return true
  }

  /** A channel that ends leaves the socket to the others. */
  end(): void {}

  flush(): void {
    const socket = this.#socket
    const chunks = this.#chunks
    const size = this.#size
    if (chunks.length === 0) return
    this.#chunks = []
    this.#size = 0
    if (!socket.writable) return
    const [first] = chunks
    if (chunks.length === 1 && first !== undefined) socket.write(first)
    else if (size <= COPY_LIMIT) socket.write(Buffer.concat(chunks, size))
    else {
      socket.cork()
      for (const chunk of chunks) socket.write(chunk)
      socket.uncork()
    }
  }
}

function replaceBuffer(entry: unknown, writer: CoalescingWriter): void {
  if (typeof entry === 'object' && entry !== null && 'buffer' in entry) entry.buffer = writer
}

/** A connection writes its farewell and ends the socket in one turn: the farewell goes first. */
function flushBeforeEnd(socket: Socket, writer: CoalescingWriter): void {
  const end = socket.end.bind(socket)
  Reflect.set(socket, 'end', (): Socket => {
    writer.flush()
    return end()
  })
}
