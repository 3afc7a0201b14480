import net from 'node:net'

const TIMEOUT_MS = 5_000

/** Sends one request of Kafka's protocol on a connection of its own: what kafkajs has not, or refuses to tell while
 *  anything is wrong. Resolves to the body behind the correlation id; rejects when none comes. */
export async function askKafka(broker: string, api: number, version: number, body: Buffer): Promise<Buffer> {
  const [host = '', port = ''] = broker.split(':')
  const head = Buffer.alloc(14)
  head.writeInt32BE(10 + body.length, 0)
  head.writeInt16BE(api, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(1, 8)
  // No client id.
  head.writeInt16BE(-1, 12)
  return await new Promise<Buffer>((resolve, reject) => {
    const socket = net.connect({ host, port: Number(port) })
    let received = Buffer.alloc(0)
    const fail = (why: string): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Error(`Kafka at ${broker} does not answer: ${why}`))
    }
    const timer = setTimeout(() => fail(`nothing for ${TIMEOUT_MS} ms`), TIMEOUT_MS)
    socket.on('connect', () => socket.write(Buffer.concat([head, body])))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
      clearTimeout(timer)
      socket.destroy()
      resolve(received.subarray(8))
    })
    socket.on('error', ({ message }) => fail(message))
    socket.on('close', () => fail('closed'))
  })
}

/** Reads the old, plain encoding: integers, texts with a length in two bytes, lists with a count in four. */
export class RawReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  text(): string {
    const length = this.int16()
    if (length < 0) return ''
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  list<T>(read: () => T): readonly T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }
}
