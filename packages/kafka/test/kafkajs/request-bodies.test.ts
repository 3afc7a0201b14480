import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, it } from 'vitest'
import { RequestBodies } from '../../src/kafkajs/request-bodies.ts'
import { Sockets } from '../../src/kafkajs/sockets.ts'

const PRODUCE = 0
const METADATA = 3

/** What the client library writes: length, key, version, number, and then what it was given as the body. */
function requestOf(key: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4 + 2 + 2 + 4)
  head.writeUInt32BE(head.length - 4 + body.length)
  head.writeInt16BE(key, 4)
  return Buffer.concat([head, body])
}

/** A server that reads when it is told to, and a socket to it as the client library gets one. */
async function pair(): Promise<{
  readonly sockets: Sockets
  readonly socket: net.Socket
  readonly read: (bytes: number) => Promise<Buffer>
  readonly close: () => Promise<void>
}> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[net.Socket]>
  const sockets = new Sockets(new Map(), () => undefined)
  const { port } = server.address() as net.AddressInfo
  const socket = sockets.open({ host: '127.0.0.1', port, ssl: undefined as never, onConnect: () => {} })
  await once(socket, 'connect')
  // It is cut in the end.
  socket.on('error', () => {})
  const [peer] = await accepted
  return {
    sockets,
    socket,
    async read(bytes) {
      const parts: Uint8Array[] = []
      for (let left = bytes; left > 0;) {
        const part: unknown = peer.read()
        if (part instanceof Uint8Array) {
          parts.push(part)
          left -= part.length
        } else await once(peer, 'readable')
      }
      return Buffer.concat(parts)
    },
    async close() {
      sockets.close()
      peer.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('bodies of requests', () => {
  it('a request that ends in a mark - head and body are written, with the length of both', async () => {
    const { sockets, socket, read, close } = await pair()
    for (const bytes of [0, 1, 1000, 3_000_000]) {
      const body = randomBytes(bytes)
      const { mark } = sockets.bodies.keep(body)
      socket.write(requestOf(PRODUCE, mark))
      const whole = requestOf(PRODUCE, body)
      expect((await read(whole.length)).equals(whole)).toBe(true)
    }
    expect(sockets.bodies.size).toBe(0)
    await close()
  })

  it('other requests, and those of a client that marks none - are written as they are', async () => {
    const { sockets, socket, read, close } = await pair()
    const { mark } = sockets.bodies.keep(Buffer.from('kept'))
    const foreign = new RequestBodies().keep(Buffer.from('of another client')).mark
    const requests = [requestOf(METADATA, mark), requestOf(PRODUCE, foreign), requestOf(PRODUCE, randomBytes(40))]
    for (const request of requests) socket.write(request)
    const all = Buffer.concat(requests)
    expect((await read(all.length)).equals(all)).toBe(true)
    expect(sockets.bodies.size).toBe(1)
    await close()
  })

  it('a request that is never written - its body is forgotten, and nothing else', () => {
    const bodies = new RequestBodies()
    const [one, other] = [bodies.keep(Buffer.from('one')), bodies.keep(Buffer.from('other'))]
    bodies.forget(one.number)
    expect(bodies.size).toBe(1)
    expect(bodies.take(requestOf(PRODUCE, one.mark))).toBe('forgotten')
    expect(bodies.take(requestOf(PRODUCE, other.mark))).toMatchObject({ body: Buffer.from('other') })
  })

  it('a request that is written when its body is forgotten - is not sent without it: the connection is cut', async () => {
    const { sockets, socket, read, close } = await pair()
    const { mark, number } = sockets.bodies.keep(Buffer.from('given up'))
    const before = requestOf(METADATA, Buffer.from('before'))
    socket.write(before)
    expect((await read(before.length)).equals(before)).toBe(true)
    sockets.bodies.forget(number)
    socket.write(requestOf(PRODUCE, mark))
    expect(socket.destroyed).toBe(true)
    expect(socket.bytesWritten).toBe(before.length)
    await close()
  })

  it('a peer that reads slowly - the memory is used again when all of it has left, and not before', async () => {
    const { sockets, socket, read, close } = await pair()
    const { bodies } = sockets
    const pieces = [1, 2, 3, 4].map((filling) => {
      const body = bodies.allocate(4_000_000).fill(filling)
      socket.write(requestOf(PRODUCE, bodies.keep(body).mark))
      return requestOf(PRODUCE, body)
    })
    const waiting = bodies.allocate(4_000_000).fill(5)
    const all = Buffer.concat(pieces)
    expect((await read(all.length)).equals(all)).toBe(true)
    await expect.poll(() => socket.writableLength).toBe(0)
    const again = bodies.allocate(4_000_000)
    expect(again.buffer).not.toBe(waiting.buffer)
    expect([1, 2, 3, 4]).toContain(again[0])
    await close()
  })

  it('a connection that breaks - memory on its way is not used again', async () => {
    const { sockets, socket, close } = await pair()
    const { bodies } = sockets
    const sent = [1, 2, 3, 4].map((filling) => {
      const body = bodies.allocate(4_000_000).fill(filling)
      socket.write(requestOf(PRODUCE, bodies.keep(body).mark))
      return body
    })
    // More than a kernel takes: of the last one it has nothing.
    expect(socket.writableLength).toBeGreaterThan(4_000_000)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    sockets.cutAll()
    await closed
    expect([bodies.allocate(4_000_000), bodies.allocate(4_000_000)].map(({ buffer }) => buffer)).not.toContain(
      sent.at(-1)?.buffer,
    )
    await close()
  })
})
