import { decodeAny, encodeAny, type Message } from '../client/client.ts'
import { SECTION, splitSections } from '../wire/message-sections.ts'

/** Message annotations of a buried notification. Properties, application properties and body are those of the original. */
export const BURIAL = {
  address: 'x-opt-oslo-address',
  attempts: 'x-opt-oslo-attempts',
  reason: 'x-opt-oslo-reason',
  stack: 'x-opt-oslo-stack',
} as const

/** What brokers write beside a letter they have buried themselves: Artemis. */
const BROKER_ORIGINS = ['x-opt-ORIG-ADDRESS', '_AMQ_ORIG_ADDRESS'] as const

/** durable = true and nothing else: it is a message nobody has tried yet. Layout: descriptor, list8 of two bytes, one field, true. */
const FRESH_HEADER = Buffer.from([0x00, 0x53, SECTION.header, 0xc0, 0x02, 0x01, 0x41])

/** A notification as it is buried: durable, without an end, and with the reason. */
export function buriedOf(message: Message, from: string, attempts: number, error: unknown): Buffer {
  const { ttl: _ttl, absolute_expiry_time: _expiry, delivery_count: _count, ...rest } = message
  return encodeAny({
    ...rest,
    durable: true,
    delivery_annotations: undefined,
    message_annotations: {
      [BURIAL.address]: from,
      [BURIAL.attempts]: attempts,
      [BURIAL.reason]: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      [BURIAL.stack]: error instanceof Error ? (error.stack ?? '') : '',
    },
  })
}

/** The address a dead letter failed at: what this driver wrote beside it, else what the broker did. Undefined: it does not say. Throws SerializationError when it is no message. */
export function originOf(letter: Buffer): string | undefined {
  const facts = annotationsOf(letter)
  return [BURIAL.address, ...BROKER_ORIGINS]
    .map((name) => facts[name])
    .find((address): address is string => typeof address === 'string' && address !== '')
}

/** The message as it was before the burial: its properties, its application properties and its body as they were sent. Annotations and the header are the brokers' business.
 *  A broker that buries by itself writes its own address into the properties; there `address` takes its place. */
export function originalOf(letter: Buffer, address: string): Buffer {
  const { head, rest } = splitSections(letter)
  const properties = head.get(SECTION.properties)
  const isOurs = BURIAL.address in annotationsOf(letter)
  const sections = [
    properties === undefined || isOurs ? properties : readdressed(properties, address),
    head.get(SECTION.applicationProperties),
  ]
  return Buffer.concat([FRESH_HEADER, ...sections.filter((section) => section !== undefined), rest])
}

function annotationsOf(letter: Buffer): Readonly<Record<string, unknown>> {
  const section = splitSections(letter).head.get(SECTION.messageAnnotations)
  if (section === undefined) return {}
  const { message_annotations: facts = {} } = decodeAny(section) as {
    readonly message_annotations?: Readonly<Record<string, unknown>>
  }
  return facts
}

/** The section with another `to`, where it has one. */
function readdressed(section: Buffer, address: string): Buffer {
  const fields = decodeAny(section)
  if (!('to' in fields)) return section
  return splitSections(encodeAny({ ...fields, to: address, body: '' })).head.get(SECTION.properties) ?? section
}
