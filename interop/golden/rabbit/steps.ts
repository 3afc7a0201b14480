import { decompress } from '../../../packages/rabbit/src/wire/compression.ts'
import { MOST_BYTES } from './most-bytes.ts'
import type { VectorFrame } from '../../../packages/rabbit/test/support/vectors.ts'
import { type Message, numberIds, parseObject, withoutFrames } from '../normalize.ts'
import type { RecordedFrame } from './recording-proxy.ts'

/** A frame of either origin, ids numbered in the order in which they first appear, so that what belongs together still
 *  does. */
export interface Step {
  readonly connection: string
  readonly channel: number
  readonly direction: 'sent' | 'received'
  readonly method: string
  readonly args: Readonly<Record<string, unknown>>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly message?: Message
  /** False for message format 1.0. */
  readonly isEnveloped?: boolean
}

export const DECLARING: ReadonlySet<string> = new Set([
  'exchange.declare',
  'queue.declare',
  'queue.bind',
  'basic.consume',
  'basic.qos',
  'queue.delete',
])
const MESSAGES: ReadonlySet<string> = new Set([
  'basic.publish',
  'basic.deliver',
  'basic.ack',
  'basic.reject',
  'basic.nack',
])

/** What our library sent and received. `withDeclares` false: the vector begins after the declarations. */
export function stepsOfOurs(frames: readonly RecordedFrame[], withDeclares = true): readonly Step[] {
  return numberIds(
    frames
      .filter(({ method }) => isCompared(method, withDeclares))
      .map(({ connection, channel, direction, method, args, properties, body }) => ({
        connection: String(connection),
        channel,
        direction,
        method,
        args,
        ...(properties === undefined ? {} : { properties }),
        ...(body === undefined ? {} : unpack(properties, body)),
      })),
  )
}

/** What Python sent and received, by the normalized part of a vector. */
export function stepsOfPython(frames: readonly VectorFrame[]): readonly Step[] {
  return numberIds(
    frames
      .filter(({ method }) => isCompared(method, true))
      .map(({ connection, direction, method, args, properties, parsed, ...rest }) => ({
        connection,
        channel: 'channel' in rest ? Number(rest.channel) : 1,
        direction,
        method,
        args,
        ...(properties === undefined ? {} : { properties }),
        // Without an envelope the outer object is the message.
        ...(parsed?.message === undefined
          ? parsed?.envelope === undefined
            ? {}
            : { message: withoutFrames(parsed.envelope), isEnveloped: false }
          : { message: withoutFrames(parsed.message), isEnveloped: parsed.envelope !== undefined }),
      })),
  )
}

const isCompared = (method: string, withDeclares: boolean): boolean =>
  MESSAGES.has(method) || (withDeclares && DECLARING.has(method))

/** The message inside a body, however it is packed; nothing for what is no message. */
function unpack(
  properties: RecordedFrame['properties'],
  body: Buffer,
): { readonly message: Message; readonly isEnveloped: boolean } | object {
  const text = decompress(properties?.['headers'] as Message | undefined, body, MOST_BYTES).toString('utf8')
  const outer = parseObject(text)
  if (outer === undefined) return {}
  const inner = outer['oslo.message']
  if (typeof inner !== 'string') return { message: withoutFrames(outer), isEnveloped: false }
  const message = parseObject(inner)
  return message === undefined ? {} : { message: withoutFrames(message), isEnveloped: true }
}
