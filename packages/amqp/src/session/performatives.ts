import { Described, ValueReader } from '../wire/read-value.ts'
import { value } from '../wire/write-value.ts'

/** Performatives of a session, and how they are read and written. Source: AMQP 1.0, part 2.7. */

export const CODE = {
  open: 0x10,
  begin: 0x11,
  attach: 0x12,
  flow: 0x13,
  transfer: 0x14,
  disposition: 0x15,
  detach: 0x16,
  end: 0x17,
  close: 0x18,
} as const

/** An error as the peer words it. */
export interface Condition {
  readonly condition: string
  readonly description: string | undefined
}

/** What one end of a link is attached to. */
export interface Terminus {
  readonly address?: string | undefined
  readonly dynamic?: boolean
  readonly durable?: number
  readonly expiryPolicy?: string
  readonly capabilities?: readonly string[]
}

export interface Attach {
  readonly name: string
  readonly handle: number
  /** True: who says it receives. */
  readonly role: boolean
  readonly sndSettleMode: number
  readonly rcvSettleMode: number
  readonly source: Terminus | null
  readonly target: Terminus | null
  readonly initialDeliveryCount: number | undefined
  /** 0: any size. */
  readonly maxMessageSize: number
  readonly properties?: Readonly<Record<string, unknown>>
}

export interface Flow {
  readonly nextIncomingId: number | undefined
  readonly incomingWindow: number
  readonly nextOutgoingId: number
  readonly outgoingWindow: number
  /** Undefined: it is about the session alone. */
  readonly handle: number | undefined
  readonly deliveryCount: number | undefined
  readonly linkCredit: number | undefined
  readonly drain: boolean
  readonly echo: boolean
}

export interface Begin {
  readonly remoteChannel: number | undefined
  readonly nextOutgoingId: number
  readonly incomingWindow: number
  readonly handleMax: number
}

export interface Transfer {
  readonly handle: number
  readonly deliveryId: number | undefined
  readonly settled: boolean
  readonly more: boolean
  readonly aborted: boolean
}

export interface Disposition {
  /** True: a receiver says it, of what we have sent. */
  readonly role: boolean
  readonly first: number
  readonly last: number
  readonly settled: boolean
  readonly state: unknown
}

const MAX_UINT = 0xffffffff

// --- reading -------------------------------------------------------------------------------------------------------

/** The fields of a performative, in their order. Fields that are left out at the end are undefined. */
export type FieldList = readonly unknown[]

const uint = (field: unknown): number | undefined =>
  typeof field === 'number' && Number.isInteger(field) && field >= 0 && field <= MAX_UINT ? field : undefined
const text = (field: unknown): string | undefined => (typeof field === 'string' ? field : undefined)

/** A field that the specification asks for. */
function must(field: unknown, name: string): number {
  const found = uint(field)
  if (found === undefined) throw new RangeError(`the peer left out ${name}`)
  return found
}

export const readBegin = (fields: FieldList): Begin => ({
  remoteChannel: uint(fields[0]),
  nextOutgoingId: must(fields[1], 'next-outgoing-id'),
  incomingWindow: must(fields[2], 'incoming-window'),
  handleMax: uint(fields[4]) ?? MAX_UINT,
})

export const readAttach = (fields: FieldList): Attach => ({
  name: text(fields[0]) ?? '',
  handle: must(fields[1], 'handle'),
  role: fields[2] === true,
  sndSettleMode: uint(fields[3]) ?? 2,
  rcvSettleMode: uint(fields[4]) ?? 0,
  source: readTerminus(fields[5], 10),
  target: readTerminus(fields[6], 6),
  initialDeliveryCount: uint(fields[9]),
  maxMessageSize: typeof fields[10] === 'number' ? fields[10] : 0,
})

export const readFlow = (fields: FieldList): Flow => ({
  nextIncomingId: uint(fields[0]),
  incomingWindow: must(fields[1], 'incoming-window'),
  nextOutgoingId: must(fields[2], 'next-outgoing-id'),
  outgoingWindow: uint(fields[3]) ?? 0,
  handle: uint(fields[4]),
  deliveryCount: uint(fields[5]),
  linkCredit: uint(fields[6]),
  drain: fields[8] === true,
  echo: fields[9] === true,
})

export const readTransfer = (fields: FieldList): Transfer => ({
  handle: must(fields[0], 'handle'),
  deliveryId: uint(fields[1]),
  settled: fields[4] === true,
  more: fields[5] === true,
  aborted: fields[9] === true,
})

export function readDisposition(fields: FieldList): Disposition {
  const first = must(fields[1], 'first')
  return {
    role: fields[0] === true,
    first,
    last: uint(fields[2]) ?? first,
    settled: fields[3] === true,
    state: fields[4],
  }
}

export const readDetach = (
  fields: FieldList,
): { readonly handle: number; readonly closed: boolean; readonly error: Condition | undefined } => ({
  handle: must(fields[0], 'handle'),
  closed: fields[1] === true,
  error: readCondition(fields[2]),
})

export function readCondition(field: unknown): Condition | undefined {
  if (!(field instanceof Described) || !Array.isArray(field.value)) return undefined
  const [condition, description] = field.value as unknown[]
  return { condition: text(condition) ?? 'amqp:internal-error', description: text(description) }
}

/** Undefined addresses and null termini are told apart: a peer that refuses a link attaches it to nothing first. */
function readTerminus(field: unknown, capabilitiesAt: number): Terminus | null {
  if (!(field instanceof Described) || !Array.isArray(field.value)) return null
  const fields = field.value as unknown[]
  const capabilities = fields[capabilitiesAt]
  return {
    address: text(fields[0]),
    dynamic: fields[4] === true,
    capabilities: (Array.isArray(capabilities) ? capabilities : [capabilities]).filter(
      (each): each is string => typeof each === 'string',
    ),
  }
}

/** A performative out of a frame: its code, its fields, and where the payload begins. Throws SerializationError. */
export function readPerformative(bytes: Buffer, at: number, end: number): Performative {
  const reader = new ValueReader(bytes, at, end)
  const code = reader.descriptor()
  const { count, end: payloadAt } = reader.list()
  const fields: unknown[] = []
  for (let index = 0; index < count; index += 1) fields.push(reader.read())
  return { code, fields, payloadAt: Math.max(payloadAt, reader.at) }
}

export interface Performative {
  readonly code: number
  readonly fields: FieldList
  readonly payloadAt: number
}

// --- writing -------------------------------------------------------------------------------------------------------

const performative = (code: number, fields: readonly Buffer[]): Buffer => value.described(code, value.list(fields))
const orNothing = <T>(field: T | undefined, write: (field: T) => Buffer): Buffer =>
  field === undefined ? value.nothing() : write(field)

export const writeBegin = (
  nextOutgoingId: number,
  incomingWindow: number,
  outgoingWindow: number,
  handleMax: number,
): Buffer =>
  performative(CODE.begin, [
    value.nothing(),
    value.uint(nextOutgoingId),
    value.uint(incomingWindow),
    value.uint(outgoingWindow),
    value.uint(handleMax),
  ])

export const writeAttach = (attach: Attach): Buffer =>
  performative(CODE.attach, [
    value.string(attach.name),
    value.uint(attach.handle),
    value.boolean(attach.role),
    value.ubyte(attach.sndSettleMode),
    value.ubyte(attach.rcvSettleMode),
    attach.source === null ? value.nothing() : writeTerminus(0x28, attach.source, 10),
    attach.target === null ? value.nothing() : writeTerminus(0x29, attach.target, 6),
    value.nothing(),
    value.nothing(),
    orNothing(attach.initialDeliveryCount, value.uint),
    attach.maxMessageSize === 0 ? value.nothing() : value.ulong(attach.maxMessageSize),
    value.nothing(),
    value.nothing(),
    orNothing(attach.properties, (properties) =>
      value.map(
        Object.entries(properties).map(([name, each]) => [value.symbol(name), value.boolean(each === true)] as const),
      ),
    ),
  ])

function writeTerminus(code: number, terminus: Terminus, capabilitiesAt: number): Buffer {
  const { address, durable, expiryPolicy, dynamic, capabilities } = terminus
  const fields: Buffer[] = [
    orNothing(address, value.string),
    orNothing(durable, value.uint),
    orNothing(expiryPolicy, value.symbol),
    value.nothing(),
    orNothing(dynamic, value.boolean),
  ]
  if (capabilities !== undefined && capabilities.length > 0) {
    while (fields.length < capabilitiesAt) fields.push(value.nothing())
    fields.push(value.symbols(capabilities))
  }
  return performative(code, fields)
}

export const writeFlow = (flow: Flow): Buffer =>
  performative(CODE.flow, [
    orNothing(flow.nextIncomingId, value.uint),
    value.uint(flow.incomingWindow),
    value.uint(flow.nextOutgoingId),
    value.uint(flow.outgoingWindow),
    orNothing(flow.handle, value.uint),
    orNothing(flow.deliveryCount, value.uint),
    orNothing(flow.linkCredit, value.uint),
    value.nothing(),
    value.boolean(flow.drain),
    value.boolean(flow.echo),
  ])

/** `state` in its encoding. */
export const writeDisposition = (role: boolean, first: number, last: number, state: Buffer | undefined): Buffer =>
  performative(CODE.disposition, [
    value.boolean(role),
    value.uint(first),
    value.uint(last),
    value.boolean(true),
    ...(state === undefined ? [] : [state]),
  ])

export const writeDetach = (handle: number, closed: boolean): Buffer =>
  performative(CODE.detach, [value.uint(handle), value.boolean(closed)])

export const writeEnd = (error?: Condition): Buffer =>
  performative(CODE.end, error === undefined ? [] : [writeError(error)])

export const writeError = ({ condition, description }: Condition): Buffer =>
  performative(0x1d, [value.symbol(condition), ...(description === undefined ? [] : [value.string(description)])])
