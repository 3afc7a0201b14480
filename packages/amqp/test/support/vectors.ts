import { readdirSync, readFileSync } from 'node:fs'
import { type AnyFrame, anonymousProperties, bodyOf } from './wire-facts.ts'

const FOLDER = new URL('../../../../interop/vectors/', import.meta.url)

interface VectorMessage {
  readonly header?: Readonly<Record<string, unknown>>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly body?: { readonly section: string; readonly type: string; readonly value: string }
}

interface VectorFrame {
  readonly peer: 'client' | 'server'
  readonly direction: 'sent' | 'received'
  readonly channel: number
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
  readonly message?: VectorMessage
  readonly payload_hex?: string
}

/** A conversation of the Python library, as it was captured. */
export interface Vector {
  readonly id: string
  readonly operation: string
  readonly api: {
    readonly call: string
    readonly url?: string
    readonly target?: TargetFacts
    readonly targets?: readonly TargetFacts[]
    readonly server_target?: TargetFacts
    readonly client_options?: { readonly timeout?: number; readonly call_monitor_timeout?: number }
    readonly topics?: readonly string[]
    readonly endpoint_methods?: readonly string[]
  }
  readonly options: Readonly<Record<string, unknown>>
  readonly wire: readonly VectorFrame[]
  readonly normalized: readonly VectorFrame[]
}

export interface TargetFacts {
  readonly topic: string
  readonly server?: string | null
  readonly exchange?: string | null
  readonly fanout?: boolean
}

export const vectors: readonly Vector[] = readdirSync(FOLDER)
  .filter((name) => /^amqp-.*\.json$/.test(name))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Vector)

/** What one side of the vector sent. */
export function sentBy(vector: Vector, peer: 'client' | 'server'): AnyFrame[] {
  return vector.normalized
    .filter((frame) => frame.peer === peer && frame.direction === 'sent')
    .map(({ channel, method, args, message }) => ({
      channel,
      method,
      fields: fieldsOf(args),
      ...(message === undefined ? {} : { message: messageFacts(message) }),
    }))
}

/** Payloads of the transfers of one side, byte for byte. */
export function payloadsOf(vector: Vector, peer: 'client' | 'server'): Buffer[] {
  return vector.wire.flatMap((frame) =>
    frame.peer === peer && frame.direction === 'sent' && frame.payload_hex !== undefined
      ? [Buffer.from(frame.payload_hex, 'hex')]
      : [],
  )
}

function messageFacts({ header = {}, properties = {}, body }: VectorMessage): object {
  const ids = Object.fromEntries(
    ['message-id', 'correlation-id'].filter((id) => id in properties).map((id) => [id, '<id>']),
  )
  if (body !== undefined && (body.section !== 'amqp-value' || body.type !== 'string'))
    throw new Error(`a body of another kind: ${body.section} ${body.type}`)
  return { header, properties: anonymousProperties({ ...properties, ...ids }), body: bodyOf(body?.value) }
}

/** `{ source: { source: {...} } }` is how the vectors write a described type. */
function fieldsOf(args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const field = name.replaceAll('-', '_')
      if (field === 'source' || field === 'target')
        return [field, (value as Readonly<Record<string, unknown>>)[field] ?? value]
      if (field === 'state') return [field, Object.keys(value as object)[0]]
      if (field === 'initial_response') {
        const { binary_hex: hex, binary_utf8: text } = value as {
          readonly binary_hex?: string
          readonly binary_utf8?: string
        }
        return [field, hex ?? Buffer.from(text ?? '').toString('hex')]
      }
      return [field, value]
    }),
  )
}
