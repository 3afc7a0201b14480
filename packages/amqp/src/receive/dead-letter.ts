import { fieldsOf, listSection, SECTION, splitSections } from '../wire/message-sections.ts'
import { ValueReader } from '../wire/read-value.ts'
import { value } from '../wire/write-value.ts'

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

/** A notification as it is buried: durable, without an end, and with the reason. Throws SerializationError when it is none. */
export function buriedOf(message: Buffer, from: string, attempts: number, error: unknown): Buffer {
  const { head, rest } = splitSections(message)
  const facts = {
    [BURIAL.address]: value.string(from),
    [BURIAL.attempts]: value.uint(attempts),
    [BURIAL.reason]: value.string(error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    [BURIAL.stack]: value.string(error instanceof Error ? (error.stack ?? '') : ''),
  }
  const annotations = value.map(Object.entries(facts).map(([name, fact]) => [value.symbol(name), fact] as const))
  const kept = [head.get(SECTION.properties), head.get(SECTION.applicationProperties)]
  return Buffer.concat([
    FRESH_HEADER,
    value.described(SECTION.messageAnnotations, annotations),
    ...kept.filter((section) => section !== undefined),
    rest,
  ])
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
  const reader = new ValueReader(section)
  reader.descriptor()
  const facts = reader.read()
  return facts instanceof Map ? Object.fromEntries(facts as Map<string, unknown>) : {}
}

/** The section with another `to`, where it has one. */
function readdressed(section: Buffer, address: string): Buffer {
  const fields = fieldsOf(section)
  const to = fields[TO]
  if (to === undefined || to[0] === NULL) return section
  return listSection(SECTION.properties, fields.with(TO, value.string(address)))
}

/** The place of `to` among the properties. */
const TO = 2
const NULL = 0x40
