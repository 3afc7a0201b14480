import rhea from 'rhea'
import type { Frame } from './tap.ts'

/** What one side of a conversation sent, put so that ours and Python's can be compared: ids and tags are gone, defaults
 *  are left out. */
export interface WireFacts {
  readonly opens: readonly object[]
  readonly attaches: readonly Attach[]
  /** First credit of each link, by the link's address. */
  readonly credits: Readonly<Record<string, number>>
  readonly transfers: readonly object[]
  /** One for each delivery settled, in order, by the address of the link. */
  readonly outcomes: readonly string[]
  readonly detaches: number
  readonly sessions: number
  readonly saslInits: readonly object[]
  readonly headers: readonly number[]
  readonly closes: number
}

export interface Attach {
  readonly link: string
  readonly [field: string]: unknown
}

/** A frame of either origin. */
export interface AnyFrame {
  readonly channel: number
  readonly method: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly message?: object
}

const OUTCOMES: Readonly<Record<number, string>> = {
  0x24: 'accepted',
  0x25: 'rejected',
  0x26: 'released',
  0x27: 'modified',
}

/** Ids made by the library, and addresses made by the peer. */
const anonymous = (text: unknown): string =>
  String(text)
    .replace(/\/(<link-\d+>|[0-9a-f]{32})$/, '')
    .replace(/dynamic\.[^\]]+/, 'dynamic')

const pick = (fields: Readonly<Record<string, unknown>>, omit: readonly string[] = []): object =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) =>
        value !== undefined && value !== null && value !== false && value !== 0 && !omit.includes(name),
    ),
  )

function terminusOf(value: unknown): object {
  const { address, dynamic } = (value ?? {}) as { readonly address?: unknown; readonly dynamic?: unknown }
  return pick({ address: address === undefined || address === null ? undefined : anonymous(address), dynamic })
}

/** The facts of one connection of one side. */
export function factsOf(frames: readonly AnyFrame[]): WireFacts {
  const attaches: Attach[] = []
  const names = new Map<string, string>()
  const credits: Record<string, number> = {}
  const of = (method: string): readonly AnyFrame[] => frames.filter((frame) => frame.method === method)
  for (const { channel, fields } of of('attach')) {
    const link = anonymous(fields['name'])
    names.set(`${channel}/${Number(fields['handle'])}`, link)
    const settleModes = { snd: Number(fields['snd_settle_mode']), rcv: Number(fields['rcv_settle_mode']) }
    const termini = { source: terminusOf(fields['source']), target: terminusOf(fields['target']) }
    attaches.push({ link, role: fields['role'] === true ? 'receiver' : 'sender', ...settleModes, ...termini })
  }
  for (const { channel, fields } of of('flow')) {
    const link = names.get(`${channel}/${Number(fields['handle'] ?? -1)}`)
    if (link !== undefined && fields['link_credit'] !== undefined) credits[link] ??= Number(fields['link_credit'])
  }
  return {
    opens: of('open').map(({ fields }) =>
      pick(
        { ...fields, container_id: String(fields['container_id']).replace(/\/[^/]*\/[^/]*\/[^/]*\/[^/]*$/, '/...') },
        ['properties'],
      ),
    ),
    attaches,
    credits,
    transfers: of('transfer').map((frame) => ({
      ...(frame.fields['settled'] === true ? { settled: true } : {}),
      ...frame.message,
    })),
    outcomes: of('disposition').flatMap(({ fields }) => {
      const first = Number(fields['first'])
      const count = Number(fields['last'] ?? first) - first + 1
      return Array.from({ length: count }, () => `${String(fields['state'])}, settled ${String(fields['settled'])}`)
    }),
    detaches: of('detach').filter(({ fields }) => fields['closed'] === true).length,
    sessions: of('begin').length,
    saslInits: of('sasl-init').map(({ fields }) => pick(fields)),
    headers: of('protocol-header').map(({ fields }) => Number(fields['id'])),
    closes: of('close').length,
  }
}

/** Frames of ours, from the tap. */
export function ours(frames: readonly Frame[]): AnyFrame[] {
  return frames.map(({ channel, method, fields, payload }) => {
    if (method === 'transfer' && payload !== undefined) return { channel, method, fields, message: messageOf(payload) }
    if (method === 'disposition') return { channel, method, fields: { ...fields, state: outcomeOf(fields['state']) } }
    if (method === 'sasl-init')
      return { channel, method, fields: { ...fields, initial_response: hexOf(fields['initial_response']) } }
    return { channel, method, fields }
  })
}

const hexOf = (value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString('hex') : value)

function outcomeOf(state: unknown): string {
  const code = Number((state as { readonly descriptor?: { readonly value?: unknown } }).descriptor?.value)
  return OUTCOMES[code] ?? `0x${code.toString(16)}`
}

/** Header, properties and body, as the vectors have them. */
function messageOf(payload: Buffer): object {
  const message = rhea.message.decode(payload)
  const { ttl, durable, body } = message
  const known = { 'message-id': message.message_id === undefined ? undefined : '<id>', to: message.to } as const
  const properties = {
    ...known,
    'reply-to': message.reply_to,
    'correlation-id': message.correlation_id === undefined ? undefined : '<id>',
    'absolute-expiry-time': message.absolute_expiry_time,
    'application-properties': message.application_properties,
  }
  return {
    header: pick({ ttl, durable }),
    properties: anonymousProperties(properties),
    body: bodyOf(body),
  }
}

export function anonymousProperties(properties: Readonly<Record<string, unknown>>): object {
  return pick(
    Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, typeof value === 'string' ? anonymous(value) : value]),
    ),
  )
}

/** JSON by its value, the envelope's inner text too: Python's spaces and escapes mean the same as ours. */
export function bodyOf(body: unknown): unknown {
  if (body === undefined || body === '') return 'no body'
  if (typeof body !== 'string') return 'not a string'
  const parsed = JSON.parse(body) as { readonly request?: Readonly<Record<string, unknown>> }
  const inner = parsed.request?.['oslo.message']
  if (typeof inner !== 'string') return parsed
  return { ...parsed, request: { ...parsed.request, 'oslo.message': { 'text of': JSON.parse(inner) as unknown } } }
}
