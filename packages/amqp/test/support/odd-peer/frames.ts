import { decode, Described, encode } from './codec.ts'

/** An error as frames carry it. */
export interface Condition {
  readonly condition: string
  readonly description?: string
}

export interface Terminus {
  readonly address?: string | null
  readonly dynamic?: boolean
  readonly expiryPolicy?: string
  readonly capabilities?: readonly string[] | string
}

export type Outcome =
  | { readonly type: 'accepted' | 'released' | 'received' }
  | { readonly type: 'rejected'; readonly error?: Condition }
  | { readonly type: 'modified'; readonly deliveryFailed?: boolean; readonly undeliverableHere?: boolean }

/** The fields of all performatives; null is written as null, what is left out as well. */
export interface Fields {
  readonly containerId?: string
  readonly hostname?: string
  readonly maxFrameSize?: number
  readonly channelMax?: number
  readonly idleTimeOut?: number
  readonly properties?: Readonly<Record<string, unknown>>
  readonly remoteChannel?: number
  readonly nextOutgoingId?: number
  readonly incomingWindow?: number
  readonly outgoingWindow?: number
  readonly handleMax?: number
  readonly name?: string
  readonly handle?: number
  readonly role?: boolean
  readonly sndSettleMode?: number
  readonly rcvSettleMode?: number
  readonly source?: Terminus | null
  readonly target?: Terminus | null
  readonly initialDeliveryCount?: number
  readonly maxMessageSize?: number
  readonly nextIncomingId?: number
  readonly deliveryCount?: number
  readonly linkCredit?: number
  readonly available?: number
  readonly drain?: boolean
  readonly echo?: boolean
  readonly deliveryId?: number
  readonly deliveryTag?: Buffer
  readonly messageFormat?: number
  readonly settled?: boolean
  readonly more?: boolean
  readonly resume?: boolean
  readonly aborted?: boolean
  readonly batchable?: boolean
  readonly first?: number
  readonly last?: number
  readonly state?: Outcome | null
  readonly closed?: boolean
  readonly error?: Condition | null
  readonly mechanisms?: readonly string[]
  readonly mechanism?: string
  readonly initialResponse?: Buffer
  readonly code?: number
}

type Type =
  | 'boolean'
  | 'ubyte'
  | 'ushort'
  | 'uint'
  | 'ulong'
  | 'string'
  | 'symbol'
  | 'symbols'
  | 'binary'
  | 'map'
  | 'source'
  | 'target'
  | 'outcome'
  | 'error'
  /** Of no use here. */
  | 'skipped'

type Layout = readonly (readonly [field: keyof Fields | 'unused', type: Type])[]
const unused = ['unused', 'skipped'] as const

/** Performatives by name: descriptor and fields in their order (parts 2.7 and 5.3). */
const LAYOUTS = {
  open: [
    0x10,
    [
      ['containerId', 'string'],
      ['hostname', 'string'],
      ['maxFrameSize', 'uint'],
      ['channelMax', 'ushort'],
      ['idleTimeOut', 'uint'],
      unused,
      unused,
      unused,
      unused,
      ['properties', 'map'],
    ],
  ],
  begin: [
    0x11,
    [
      ['remoteChannel', 'ushort'],
      ['nextOutgoingId', 'uint'],
      ['incomingWindow', 'uint'],
      ['outgoingWindow', 'uint'],
      ['handleMax', 'uint'],
    ],
  ],
  attach: [
    0x12,
    [
      ['name', 'string'],
      ['handle', 'uint'],
      ['role', 'boolean'],
      ['sndSettleMode', 'ubyte'],
      ['rcvSettleMode', 'ubyte'],
      ['source', 'source'],
      ['target', 'target'],
      unused,
      unused,
      ['initialDeliveryCount', 'uint'],
      ['maxMessageSize', 'ulong'],
      unused,
      unused,
      ['properties', 'map'],
    ],
  ],
  flow: [
    0x13,
    [
      ['nextIncomingId', 'uint'],
      ['incomingWindow', 'uint'],
      ['nextOutgoingId', 'uint'],
      ['outgoingWindow', 'uint'],
      ['handle', 'uint'],
      ['deliveryCount', 'uint'],
      ['linkCredit', 'uint'],
      ['available', 'uint'],
      ['drain', 'boolean'],
      ['echo', 'boolean'],
    ],
  ],
  transfer: [
    0x14,
    [
      ['handle', 'uint'],
      ['deliveryId', 'uint'],
      ['deliveryTag', 'binary'],
      ['messageFormat', 'uint'],
      ['settled', 'boolean'],
      ['more', 'boolean'],
      ['rcvSettleMode', 'ubyte'],
      ['state', 'outcome'],
      ['resume', 'boolean'],
      ['aborted', 'boolean'],
      ['batchable', 'boolean'],
    ],
  ],
  disposition: [
    0x15,
    [
      ['role', 'boolean'],
      ['first', 'uint'],
      ['last', 'uint'],
      ['settled', 'boolean'],
      ['state', 'outcome'],
    ],
  ],
  detach: [
    0x16,
    [
      ['handle', 'uint'],
      ['closed', 'boolean'],
      ['error', 'error'],
    ],
  ],
  end: [0x17, [['error', 'error']]],
  close: [0x18, [['error', 'error']]],
  'sasl-mechanisms': [0x40, [['mechanisms', 'symbols']]],
  'sasl-init': [
    0x41,
    [
      ['mechanism', 'symbol'],
      ['initialResponse', 'binary'],
      ['hostname', 'string'],
    ],
  ],
  'sasl-outcome': [0x44, [['code', 'ubyte']]],
} as const satisfies Readonly<Record<string, readonly [code: number, layout: Layout]>>

export type FrameName = keyof typeof LAYOUTS

export interface Frame {
  readonly channel: number
  /** `heartbeat`: a frame without a performative; `header`: the eight bytes before the frames, `code` is the
   *  protocol. */
  readonly name: FrameName | 'heartbeat' | 'header'
  readonly fields: Fields
  readonly payload?: Buffer
}

const OUTCOMES = { received: 0x23, accepted: 0x24, rejected: 0x25, released: 0x26, modified: 0x27 } as const

const optional = <T>(value: T | null | undefined, write: (value: T) => Buffer): Buffer =>
  value === undefined || value === null ? encode.null() : write(value)

function anyValue(value: unknown): Buffer {
  if (typeof value === 'number') return encode.uint(value)
  return typeof value === 'boolean' ? encode.boolean(value) : encode.string(String(value))
}

const conditionBytes = ({ condition, description }: Condition): Buffer =>
  encode.described(0x1d, encode.list([encode.symbol(condition), optional(description, encode.string)]))

function terminusBytes(code: number, terminus: Terminus): Buffer {
  const { address, dynamic, expiryPolicy, capabilities } = terminus
  const nothing = encode.null()
  const names = typeof capabilities === 'string' ? [capabilities] : capabilities
  const common = [
    optional(address, encode.string),
    nothing,
    optional(expiryPolicy, encode.symbol),
    nothing,
    optional(dynamic, encode.boolean),
    nothing,
  ]
  // A source has a distribution mode, a filter, a default outcome and outcomes in between.
  const between = code === 0x28 ? [nothing, nothing, nothing, nothing] : []
  return encode.described(code, encode.list([...common, ...between, optional(names, encode.symbols)]))
}

function outcomeBytes(outcome: Outcome): Buffer {
  const fields =
    outcome.type === 'rejected'
      ? [optional(outcome.error, conditionBytes)]
      : outcome.type === 'modified'
        ? [optional(outcome.deliveryFailed, encode.boolean), optional(outcome.undeliverableHere, encode.boolean)]
        : outcome.type === 'received'
          ? [encode.uint(0), encode.ulong(0)]
          : []
  return encode.described(OUTCOMES[outcome.type], encode.list(fields))
}

const WRITERS: Readonly<Record<Type, (value: never) => Buffer>> = {
  boolean: encode.boolean,
  ubyte: encode.ubyte,
  ushort: encode.ushort,
  uint: encode.uint,
  ulong: encode.ulong,
  string: encode.string,
  symbol: encode.symbol,
  symbols: encode.symbols,
  binary: encode.binary,
  map: (value: Readonly<Record<string, unknown>>) =>
    encode.map(Object.entries(value).map(([key, each]) => [encode.symbol(key), anyValue(each)])),
  source: (value: Terminus) => terminusBytes(0x28, value),
  target: (value: Terminus) => terminusBytes(0x29, value),
  outcome: outcomeBytes,
  error: conditionBytes,
  skipped: encode.null,
}

/** A frame of a performative, with what follows it: size, data offset, type (1: SASL), channel. */
export function frameBytes(frame: Frame): Buffer {
  const { channel, name, fields, payload = Buffer.alloc(0) } = frame
  const isSasl = name.startsWith('sasl')
  return rawFrame(channel, Buffer.concat([performative(name, fields), payload]), isSasl ? 1 : 0)
}

function performative(name: Frame['name'], fields: Fields): Buffer {
  if (name === 'heartbeat' || name === 'header') return Buffer.alloc(0)
  const [code, layout]: readonly [number, Layout] = LAYOUTS[name]
  const values = layout.map(([field, type]) =>
    field === 'unused' ? encode.null() : optional(fields[field], WRITERS[type] as (value: unknown) => Buffer),
  )
  return encode.described(code, encode.list(values))
}

/** A frame with any content. */
export function rawFrame(channel: number, content: Buffer, type = 0): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 2, type, 0, 0])
  head.writeUInt32BE(content.length + 8)
  head.writeUInt16BE(channel, 6)
  return Buffer.concat([head, content])
}

/** `AMQP`, the protocol (0, or 3 for SASL) and the version. */
export const headerBytes = (protocol: number): Buffer => Buffer.from([0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0])

/** Gives each whole frame of what comes in. */
export function frameReader(onFrame: (frame: Frame) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 8) {
      const isHeader = rest.toString('latin1', 0, 4) === 'AMQP'
      const size = isHeader ? 8 : rest.readUInt32BE(0)
      if (rest.length < size) return
      const one = rest.subarray(0, size)
      rest = rest.subarray(size)
      onFrame(isHeader ? { channel: 0, name: 'header', fields: { code: one.readUInt8(4) } } : readFrame(one))
    }
  }
}

function readFrame(bytes: Buffer): Frame {
  const channel = bytes.readUInt16BE(6)
  const start = bytes.readUInt8(4) * 4
  if (start === bytes.length) return { channel, name: 'heartbeat', fields: {} }
  const { value, end } = decode(bytes, start)
  if (!(value instanceof Described)) throw new RangeError('The frame has no performative')
  const [name, [, layout]] = Object.entries(LAYOUTS).find(([, [code]]) => code === value.code) ?? unknown(value.code)
  const list = value.value as readonly unknown[]
  const fields = Object.fromEntries(
    (layout as Layout).flatMap(([field, type], index) => {
      const given = list[index]
      return field === 'unused' || given === null || given === undefined ? [] : [[field, read(type, given)]]
    }),
  )
  return { channel, name: name as FrameName, fields, payload: bytes.subarray(end) }
}

function unknown(code: number): never {
  throw new RangeError(`0x${code.toString(16)} is no performative this peer knows`)
}

function read(type: Type, value: unknown): unknown {
  if (!(value instanceof Described)) return value
  const list = value.value as readonly unknown[]
  if (type === 'error') return { condition: list[0], description: list[1] ?? undefined }
  if (type === 'outcome') return readOutcome(value.code, list)
  const capabilities = list[type === 'source' ? 10 : 6]
  return {
    address: list[0] ?? null,
    dynamic: list[4] === true,
    ...(list[2] === undefined || list[2] === null ? {} : { expiryPolicy: list[2] }),
    ...(capabilities === undefined || capabilities === null ? {} : { capabilities }),
  }
}

function readOutcome(code: number, list: readonly unknown[]): unknown {
  const type = Object.entries(OUTCOMES).find(([, each]) => each === code)?.[0]
  if (type === 'modified') return { type, deliveryFailed: list[0] === true, undeliverableHere: list[1] === true }
  return type === 'rejected' ? { type, error: read('error', list[0]) } : { type }
}
