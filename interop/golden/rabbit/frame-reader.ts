import { FieldReader, type Table } from './fields.ts'

/** One method, its content with it, in the words of the vectors. */
export interface WireFrame {
  readonly channel: number
  /** `basic.publish`; `protocol-header` for the eight bytes before the first frame. */
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly body?: Buffer
}

type Kind = 'bit' | 'octet' | 'short' | 'long' | 'longlong' | 'shortstr' | 'longstr' | 'table'
type Fields = readonly (readonly [name: string, kind: Kind])[]

/** `a:shortstr b:bit` as a list; a name that begins with `-` is reserved and left out. */
const fields = (text: string): Fields =>
  text === '' ? [] : text.split(' ').map((each) => each.split(':') as [string, Kind])

const METHODS: ReadonlyMap<string, readonly [method: string, fields: Fields]> = new Map(
  (
    [
      [
        '10.10',
        'connection.start',
        'version_major:octet version_minor:octet server_properties:table mechanisms:longstr locales:longstr',
      ],
      ['10.11', 'connection.start-ok', 'client_properties:table mechanism:shortstr response:longstr locale:shortstr'],
      ['10.30', 'connection.tune', 'channel_max:short frame_max:long heartbeat:short'],
      ['10.31', 'connection.tune-ok', 'channel_max:short frame_max:long heartbeat:short'],
      ['10.40', 'connection.open', 'virtual_host:shortstr -capabilities:shortstr insist:bit'],
      ['10.41', 'connection.open-ok', ''],
      ['10.50', 'connection.close', 'code:short text:shortstr class:short method:short'],
      ['10.51', 'connection.close-ok', ''],
      ['10.60', 'connection.blocked', 'reason:shortstr'],
      ['10.61', 'connection.unblocked', ''],
      ['20.10', 'channel.open', ''],
      ['20.11', 'channel.open-ok', ''],
      ['20.40', 'channel.close', 'code:short text:shortstr class:short method:short'],
      ['20.41', 'channel.close-ok', ''],
      [
        '40.10',
        'exchange.declare',
        '-ticket:short exchange:shortstr type:shortstr passive:bit durable:bit auto_delete:bit internal:bit nowait:bit arguments:table',
      ],
      ['40.11', 'exchange.declare-ok', ''],
      [
        '50.10',
        'queue.declare',
        '-ticket:short queue:shortstr passive:bit durable:bit exclusive:bit auto_delete:bit nowait:bit arguments:table',
      ],
      ['50.11', 'queue.declare-ok', 'queue:shortstr message_count:long consumer_count:long'],
      [
        '50.20',
        'queue.bind',
        '-ticket:short queue:shortstr exchange:shortstr routing_key:shortstr nowait:bit arguments:table',
      ],
      ['50.21', 'queue.bind-ok', ''],
      ['50.40', 'queue.delete', '-ticket:short queue:shortstr if_unused:bit if_empty:bit nowait:bit'],
      ['50.41', 'queue.delete-ok', 'message_count:long'],
      ['60.10', 'basic.qos', 'prefetch_size:long prefetch_count:short global:bit'],
      ['60.11', 'basic.qos-ok', ''],
      [
        '60.20',
        'basic.consume',
        '-ticket:short queue:shortstr consumer_tag:shortstr no_local:bit no_ack:bit exclusive:bit nowait:bit arguments:table',
      ],
      ['60.21', 'basic.consume-ok', 'consumer_tag:shortstr'],
      ['60.30', 'basic.cancel', 'consumer_tag:shortstr nowait:bit'],
      ['60.31', 'basic.cancel-ok', 'consumer_tag:shortstr'],
      ['60.40', 'basic.publish', '-ticket:short exchange:shortstr routing_key:shortstr mandatory:bit immediate:bit'],
      ['60.50', 'basic.return', 'reply_code:short reply_text:shortstr exchange:shortstr routing_key:shortstr'],
      [
        '60.60',
        'basic.deliver',
        'consumer_tag:shortstr delivery_tag:longlong redelivered:bit exchange:shortstr routing_key:shortstr',
      ],
      ['60.80', 'basic.ack', 'delivery_tag:longlong multiple:bit'],
      ['60.90', 'basic.reject', 'delivery_tag:longlong requeue:bit'],
      ['60.120', 'basic.nack', 'delivery_tag:longlong multiple:bit requeue:bit'],
      ['85.10', 'confirm.select', 'nowait:bit'],
      ['85.11', 'confirm.select-ok', ''],
    ] as const
  ).map(([id, method, list]) => [id, [method, fields(list)]] as const),
)

/** Properties of a message, from the highest flag down. */
const PROPERTIES: Fields = fields(
  'content_type:shortstr content_encoding:shortstr headers:table delivery_mode:octet priority:octet correlation_id:shortstr reply_to:shortstr ' +
    'expiration:shortstr message_id:shortstr timestamp:longlong type:shortstr user_id:shortstr app_id:shortstr',
)

interface Content {
  readonly frame: WireFrame
  readonly size: number
  readonly parts: Buffer[]
}

/** Cuts what one side of a connection sends into methods; content frames are put together with their method. */
export class FrameReader {
  readonly #onFrame: (frame: WireFrame) => void
  readonly #pending = new Map<number, Content>()
  #rest: Buffer = Buffer.alloc(0)

  constructor(onFrame: (frame: WireFrame) => void) {
    this.#onFrame = onFrame
  }

  read(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 8) {
      if (this.#rest.toString('latin1', 0, 4) === 'AMQP') {
        const header = this.#rest.subarray(0, 8).toString('hex')
        this.#onFrame({ channel: 0, method: 'protocol-header', args: { bytes: header } })
        this.#rest = this.#rest.subarray(8)
        continue
      }
      const size = this.#rest.readUInt32BE(3)
      if (this.#rest.length < size + 8) return
      this.#frame(this.#rest.readUInt8(0), this.#rest.readUInt16BE(1), this.#rest.subarray(7, 7 + size))
      this.#rest = this.#rest.subarray(size + 8)
    }
  }

  #frame(type: number, channel: number, payload: Buffer): void {
    // 8 is a heartbeat.
    if (type === 1) this.#method(channel, payload)
    else if (type === 2) this.#header(channel, payload)
    else if (type === 3) this.#body(channel, payload)
  }

  #method(channel: number, payload: Buffer): void {
    const id = `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`
    const [method, list] = METHODS.get(id) ?? [`method ${id}`, []]
    const frame = { channel, method, args: readAll(new FieldReader(payload.subarray(4)), list) }
    if (method === 'basic.publish' || method === 'basic.deliver' || method === 'basic.return')
      this.#pending.set(channel, { frame, size: 0, parts: [] })
    else this.#onFrame(frame)
  }

  #header(channel: number, payload: Buffer): void {
    const content = this.#pending.get(channel)
    if (content === undefined) return
    const size = Number(payload.readBigUInt64BE(4))
    const flags = payload.readUInt16BE(12)
    const present = PROPERTIES.filter((_, index) => (flags & (1 << (15 - index))) !== 0)
    const properties = readAll(new FieldReader(payload.subarray(14)), present)
    this.#pending.set(channel, { frame: { ...content.frame, properties }, size, parts: [] })
    if (size === 0) this.#finish(channel)
  }

  #body(channel: number, payload: Buffer): void {
    const content = this.#pending.get(channel)
    if (content === undefined) return
    // The buffer it is cut from is used again.
    content.parts.push(Buffer.from(payload))
    const got = content.parts.reduce((sum, { length }) => sum + length, 0)
    if (got >= content.size) this.#finish(channel)
  }

  #finish(channel: number): void {
    const content = this.#pending.get(channel)
    this.#pending.delete(channel)
    if (content !== undefined) this.#onFrame({ ...content.frame, body: Buffer.concat(content.parts) })
  }
}

/** Tables come with their types as `<name>_types`, as in the vectors. */
function readAll(reader: FieldReader, list: Fields): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [name, kind] of list) {
    const value: unknown = reader[kind]()
    if (name.startsWith('-')) continue
    if (kind !== 'table') {
      values[name] = value
      continue
    }
    const table = value as Table
    values[name] = table.values
    if (Object.keys(table.types).length > 0) values[`${name}_types`] = table.types
  }
  return values
}
