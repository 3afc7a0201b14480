import type { Buffer as Bytes } from 'node:buffer'
import { createRequire } from 'node:module'
import net from 'node:net'

/** One frame a client sent, read with rhea's frame code from the bytes on the wire. */
export interface Frame {
  readonly channel: number
  /** As the specification names it: `attach`, `sasl-init`; `protocol-header` for the eight bytes before the frames. */
  readonly method: string
  /** Fields by rhea's names (`snd_settle_mode`); those of sources and targets are unwrapped. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly payload?: Bytes
}

interface Performative {
  readonly descriptor?: { readonly value: unknown }
  readonly [field: string]: unknown
}
interface RheaFrames {
  read_frame(bytes: Buffer): {
    readonly channel: number
    readonly performative?: Performative
    readonly payload?: Bytes
  }
}
interface RheaTerminus {
  unwrap(terminus: unknown): Readonly<Record<string, unknown>> | undefined
}
const require = createRequire(import.meta.url)
const frames = require('rhea/lib/frames.js') as RheaFrames
const terminus = require('rhea/lib/terminus.js') as RheaTerminus

/** Performatives and the fields that are looked at. */
const PERFORMATIVES: readonly (readonly [code: number, method: string, fields: readonly string[]])[] = [
  [0x10, 'open', ['container_id', 'hostname', 'channel_max', 'idle_time_out', 'properties']],
  [0x11, 'begin', []],
  [
    0x12,
    'attach',
    ['name', 'handle', 'role', 'snd_settle_mode', 'rcv_settle_mode', 'source', 'target', 'initial_delivery_count'],
  ],
  [0x13, 'flow', ['handle', 'link_credit', 'delivery_count', 'drain']],
  [0x14, 'transfer', ['handle', 'delivery_id', 'settled', 'more']],
  [0x15, 'disposition', ['role', 'first', 'last', 'settled', 'state']],
  [0x16, 'detach', ['handle', 'closed']],
  [0x17, 'end', []],
  [0x18, 'close', []],
  [0x41, 'sasl-init', ['mechanism', 'initial_response', 'hostname']],
]

/** Stands between a client and a peer and reads what the client sends. */
export interface Tap {
  readonly port: number
  /** Of all connections, in the order they were sent. */
  readonly frames: readonly Frame[]
  close(): Promise<void>
}

export async function openTap(peerPort: number): Promise<Tap> {
  const seen: Frame[] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ noDelay: true }, (client) => {
    const upstream = net.connect({ port: peerPort, host: '127.0.0.1', noDelay: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    const read = reader((frame) => seen.push(frame))
    client.on('data', (bytes) => {
      read(bytes)
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => client.write(bytes))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    frames: seen,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function reader(onFrame: (frame: Frame) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 8) {
      if (rest.toString('latin1', 0, 4) === 'AMQP') {
        onFrame({ channel: 0, method: 'protocol-header', fields: { id: rest[4] } })
        rest = rest.subarray(8)
        continue
      }
      const size = rest.readUInt32BE(0)
      if (rest.length < size) return
      const { channel, performative, payload } = frames.read_frame(Buffer.from(rest.subarray(0, size)))
      rest = rest.subarray(size)
      // A frame without a performative is a heartbeat.
      if (performative !== undefined) onFrame(describe(channel, performative, payload))
    }
  }
}

function describe(channel: number, performative: Performative, payload: Frame['payload']): Frame {
  const code = (performative.constructor as unknown as { readonly descriptor: { readonly numeric: number } }).descriptor
    .numeric
  const known = PERFORMATIVES.find(([each]) => each === code)
  if (known === undefined) return { channel, method: `0x${code.toString(16)}`, fields: {} }
  const [, method, names] = known
  const fields = Object.fromEntries(
    names.map((name) => {
      const value = performative[name]
      return [name, name === 'source' || name === 'target' ? terminus.unwrap(value) : value]
    }),
  )
  return { channel, method, fields, ...(payload === undefined ? {} : { payload }) }
}
