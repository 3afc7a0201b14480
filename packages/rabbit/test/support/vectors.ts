import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../../../interop/vectors')

export interface VectorFrame {
  readonly peer: 'client' | 'server'
  readonly connection: string
  readonly direction: 'sent' | 'received'
  readonly method: string
  /** Seconds since the first frame; only in `wire`. */
  readonly t?: number
  readonly args: Readonly<Record<string, unknown>>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly body?: string
  readonly body_base64?: string
  readonly parsed?: {
    readonly message?: Readonly<Record<string, unknown>>
    readonly envelope?: Readonly<Record<string, unknown>>
  }
}

export interface Vector {
  readonly file: string
  readonly id: string
  readonly operation: string
  /** What the application did; each kind of vector has fields of its own. */
  readonly api: object
  readonly options?: Readonly<Record<string, unknown>>
  readonly wire: readonly VectorFrame[]
  readonly normalized: readonly VectorFrame[]
}

/** Captured messages of the real library whose file name begins with `prefix`. */
export function vectors(prefix: string): readonly Vector[] {
  const files = readdirSync(FOLDER).filter((file) => file.startsWith(prefix) && file.endsWith('.json'))
  if (files.length === 0) throw new Error(`No vector begins with ${prefix} in ${FOLDER}`)
  return files.toSorted().map((file) => {
    const vector = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Omit<Vector, 'file'>
    return {
      ...vector,
      file,
      wire: vector.wire,
      normalized: vector.normalized.map((frame, index) => withBytes(frame, vector.wire[index])),
    }
  })
}

/** Normalized frames leave compressed bodies out: they are taken from the wire. */
function withBytes(frame: VectorFrame, wire: VectorFrame | undefined): VectorFrame {
  return wire?.body_base64 === undefined ? frame : { ...frame, body_base64: wire.body_base64 }
}

/** `{ "oslo_messaging_rabbit.x": value }` as `{ x: value }`. */
export function vectorOptions({ options = {} }: Vector): Record<string, never> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace('oslo_messaging_rabbit.', '').replace('quroum', 'quorum'),
      value as never,
    ]),
  )
}
