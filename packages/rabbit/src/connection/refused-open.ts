import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectOptions } from '../client/client.ts'

/** Why a broker refuses a virtual host. */
export interface OpenRefusal {
  readonly code: number
  readonly text: string
}

/** True for the error amqplib raises when the broker closes the connection instead of opening the virtual host: code and text are lost in it. */
export function isHiddenRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')
}

/** Repeats the handshake by hand, up to the refusal, to learn what amqplib does not tell. Undefined when nothing was learnt within `timeoutMs`. */
export async function probeOpen(options: ConnectOptions, timeoutMs: number): Promise<OpenRefusal | undefined> {
  return await new Promise((resolve) => {
    const { hostname: host, port, tls, signal } = options
    const place = { host, port, signal }
    const socket: Socket = tls === undefined ? connectPlain(place) : connectTls({ ...place, ...tls })
    const done = (refusal: OpenRefusal | undefined): void => {
      socket.destroy()
      resolve(refusal)
    }
    let received = Buffer.alloc(0)
    socket.setTimeout(timeoutMs, () => done(undefined))
    socket.on('error', () => done(undefined))
    socket.on('close', () => done(undefined))
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => socket.write(PROTOCOL_HEADER))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      for (;;) {
        if (received.length < FRAME_OVERHEAD) return
        const size = received.readUInt32BE(3)
        if (received.length < size + FRAME_OVERHEAD) return
        const payload = received.subarray(FRAME_HEADER, FRAME_HEADER + size)
        received = received.subarray(size + FRAME_OVERHEAD)
        const answer = answerTo(payload, options)
        if (answer === undefined) return done(undefined)
        if (Buffer.isBuffer(answer)) socket.write(answer)
        else return done(answer)
      }
    })
  })
}

// Frame: type 1, channel 2, size 4, payload, end 0xce. Method payload: class 2, method 2, arguments.
const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])
const FRAME_HEADER = 7
const FRAME_OVERHEAD = 8
const CONNECTION = 10
const START = 10
const START_OK = 11
const TUNE = 30
const TUNE_OK = 31
const OPEN = 40
const CLOSE = 50

function answerTo(payload: Buffer, options: ConnectOptions): Buffer | OpenRefusal | undefined {
  switch (payload.readUInt16BE(2)) {
    case START:
      return frame(
        START_OK,
        longText(Buffer.alloc(0)),
        shortText(options.mechanism),
        longText(secret(options)),
        shortText('en_US'),
      )
    case TUNE:
      return Buffer.concat([
        frame(TUNE_OK, payload.subarray(4, 12)),
        frame(OPEN, shortText(options.virtualHost), shortText(''), Buffer.from([0])),
      ])
    case CLOSE: {
      const length = payload[6] ?? 0
      return { code: payload.readUInt16BE(4), text: payload.toString('utf8', 7, 7 + length) }
    }
    default:
      return undefined
  }
}

function secret({ mechanism, username, password }: ConnectOptions): Buffer {
  if (mechanism === 'EXTERNAL') return Buffer.alloc(0)
  if (mechanism === 'PLAIN') return Buffer.from(`\0${username}\0${password}`)
  const field = (name: string, value: string): Buffer =>
    Buffer.concat([shortText(name), Buffer.from('S'), longText(Buffer.from(value))])
  return Buffer.concat([field('LOGIN', username), field('PASSWORD', password)])
}

function frame(method: number, ...fields: readonly Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.from([0, CONNECTION, 0, method]), ...fields])
  const header = Buffer.alloc(FRAME_HEADER)
  header[0] = 1
  header.writeUInt32BE(payload.length, 3)
  return Buffer.concat([header, payload, Buffer.from([0xce])])
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function longText(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
