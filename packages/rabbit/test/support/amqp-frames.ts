/** AMQP 0-9-1 by hand, for peers that send what they like. Layout of a frame: type u8, channel u16, size u32, payload,
 *  0xCE; numbers big-endian. */

export const METHODS = {
  'connection.start': [10, 10],
  'connection.start-ok': [10, 11],
  'connection.secure': [10, 20],
  'connection.tune': [10, 30],
  'connection.tune-ok': [10, 31],
  'connection.open': [10, 40],
  'connection.open-ok': [10, 41],
  'connection.close': [10, 50],
  'connection.close-ok': [10, 51],
  'connection.blocked': [10, 60],
  'connection.unblocked': [10, 61],
  'connection.update-secret': [10, 70],
  'connection.update-secret-ok': [10, 71],
  'channel.open': [20, 10],
  'channel.open-ok': [20, 11],
  'channel.flow': [20, 20],
  'channel.close': [20, 40],
  'channel.close-ok': [20, 41],
  'exchange.declare': [40, 10],
  'exchange.declare-ok': [40, 11],
  'queue.declare': [50, 10],
  'queue.declare-ok': [50, 11],
  'queue.bind': [50, 20],
  'queue.bind-ok': [50, 21],
  'queue.delete': [50, 40],
  'queue.delete-ok': [50, 41],
  'basic.qos': [60, 10],
  'basic.qos-ok': [60, 11],
  'basic.consume': [60, 20],
  'basic.consume-ok': [60, 21],
  'basic.cancel': [60, 30],
  'basic.cancel-ok': [60, 31],
  'basic.publish': [60, 40],
  'basic.return': [60, 50],
  'basic.deliver': [60, 60],
  'basic.get': [60, 70],
  'basic.get-ok': [60, 71],
  'basic.get-empty': [60, 72],
  'basic.ack': [60, 80],
  'basic.reject': [60, 90],
  'basic.nack': [60, 120],
  'confirm.select': [85, 10],
  'confirm.select-ok': [85, 11],
} as const

export type MethodName = keyof typeof METHODS

const NAMES = new Map<number, MethodName>(
  Object.entries(METHODS).map(([name, [group, number]]) => [group * 0x1_0000 + number, name as MethodName]),
)

export const METHOD = 1
export const HEADER = 2
export const BODY = 3
export const HEARTBEAT = 8

export function frame(type: number, channel: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(7)
  head[0] = type
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}

export function method(channel: number, name: MethodName, ...fields: readonly Uint8Array[]): Buffer {
  const [group, number] = METHODS[name]
  return frame(METHOD, channel, Buffer.concat([u16(group), u16(number), ...fields]))
}

/** `properties`: their flags and fields, as they were received. */
export function content(channel: number, properties: Uint8Array, body: Uint8Array): Buffer {
  const header = frame(HEADER, channel, Buffer.concat([u16(60), u16(0), u64(body.length), properties]))
  return body.length === 0 ? header : Buffer.concat([header, frame(BODY, channel, body)])
}

export function u8(value: number): Buffer {
  return Buffer.from([value])
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

export function short(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([u8(bytes.length), bytes])
}

export function long(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([u32(bytes.length), bytes])
}

/** A table of texts. */
export function table(fields: Readonly<Record<string, string>>): Buffer {
  return long(Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [short(name), u8(0x53), long(value)])))
}

/** Reads the fields of a method one after the other. */
export class FieldReader {
  readonly bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  u8(): number {
    this.#at += 1
    return this.bytes.readUInt8(this.#at - 1)
  }

  u16(): number {
    this.#at += 2
    return this.bytes.readUInt16BE(this.#at - 2)
  }

  u64(): number {
    this.#at += 8
    return Number(this.bytes.readBigUInt64BE(this.#at - 8))
  }

  long(): string {
    const length = this.bytes.readUInt32BE(this.#at)
    this.#at += 4 + length
    return this.bytes.toString('latin1', this.#at - length, this.#at)
  }

  short(): string {
    const length = this.u8()
    this.#at += length
    return this.bytes.toString('utf8', this.#at - length, this.#at)
  }
}

export interface ReceivedFrame {
  readonly type: number
  readonly channel: number
  readonly payload: Buffer
}

/** The name of the method in a frame; undefined when it is none, or not in the table above. */
export function nameOf({ type, payload }: ReceivedFrame): MethodName | undefined {
  return type === METHOD ? NAMES.get(payload.readUInt32BE(0)) : undefined
}

/** Cuts bytes into frames; what is left begins the next one. */
export function cutFrames(bytes: Buffer): { readonly frames: readonly ReceivedFrame[]; readonly rest: Buffer } {
  const frames: ReceivedFrame[] = []
  let at = 0
  while (bytes.length - at >= 8) {
    const size = bytes.readUInt32BE(at + 3)
    if (bytes.length - at < size + 8) break
    frames.push({
      type: bytes.readUInt8(at),
      channel: bytes.readUInt16BE(at + 1),
      payload: bytes.subarray(at + 7, at + 7 + size),
    })
    at += size + 8
  }
  return { frames, rest: bytes.subarray(at) }
}
