import { FAILURE_HEADERS, type FailureFacts } from '@oslo-messaging/core/driver'
import {
  entriesOf,
  fieldsOf,
  listSection,
  mapSection,
  SECTION,
  type Sections,
  splitSections,
} from '../wire/message-sections.ts'
import { ValueReader } from '../wire/read-value.ts'
import { value } from '../wire/write-value.ts'

/** What brokers write beside a letter they have buried themselves: Artemis. */
const BROKER_ORIGINS = ['x-opt-ORIG-ADDRESS', '_AMQ_ORIG_ADDRESS'] as const

/** durable = true and nothing else: it is a message nobody has tried yet. Layout: descriptor, list8 of two bytes, one
 *  field, true. */
const FRESH_HEADER = Buffer.from([0x00, 0x53, SECTION.header, 0xc0, 0x02, 0x01, 0x41])

/** Application properties whose names begin so are those of a burial; all others are the application's. */
const BURIAL = 'x-oslo-'

/** A notification as it is buried: durable, without an end, and with the reason among its application properties, where
 *  every reader of every protocol finds it. Properties and body are those of the original. Throws SerializationError
 *  when it is none. */
export function buriedOf(message: Buffer, from: string, { headers }: FailureFacts): Buffer {
  const { head, rest } = splitSections(message)
  const facts = Object.entries({ ...headers, [FAILURE_HEADERS.origin]: from }).map(
    ([name, fact]) => [value.string(name), value.string(fact)] as const,
  )
  return fresh(head.get(SECTION.properties), [...applicationProperties(head), ...facts], rest)
}

/** The address a dead letter failed at: what this library wrote beside it, else what the broker did. Undefined: it does
 *  not say. Throws SerializationError when it is no message. */
export function originOf(letter: Buffer): string | undefined {
  const { head } = splitSections(letter)
  const facts = annotationsOf(head)
  return [burialOrigin(head), ...BROKER_ORIGINS.map((name) => facts[name])].find(
    (address): address is string => typeof address === 'string' && address !== '',
  )
}

/** The message as it was before the burial: its properties, its application properties and its body as they were sent.
 *  Annotations and the header are the brokers' business. A broker that buries by itself writes its own address into the
 *  properties; there `address` takes its place. */
export function originalOf(letter: Buffer, address: string): Buffer {
  const { head, rest } = splitSections(letter)
  const properties = head.get(SECTION.properties)
  const isOurs = burialOrigin(head) !== undefined
  const own = applicationProperties(head).filter(([name]) => !String(read(name)).startsWith(BURIAL))
  return fresh(properties === undefined || isOurs ? properties : readdressed(properties, address), own, rest)
}

/** A message nobody has tried yet. */
function fresh(
  properties: Buffer | undefined,
  applicationProperties: readonly (readonly [Buffer, Buffer])[],
  rest: Buffer,
): Buffer {
  const sections = [
    properties,
    applicationProperties.length === 0 ? undefined : mapSection(SECTION.applicationProperties, applicationProperties),
  ]
  return Buffer.concat([FRESH_HEADER, ...sections.filter((section) => section !== undefined), rest])
}

function burialOrigin(head: Sections['head']): unknown {
  const found = applicationProperties(head).find(([name]) => read(name) === FAILURE_HEADERS.origin)
  return found === undefined ? undefined : read(found[1])
}

function applicationProperties(head: Sections['head']): [key: Buffer, value: Buffer][] {
  const section = head.get(SECTION.applicationProperties)
  return section === undefined ? [] : entriesOf(section)
}

const read = (encoded: Buffer): unknown => new ValueReader(encoded).read()

function annotationsOf(head: Sections['head']): Readonly<Record<string, unknown>> {
  const section = head.get(SECTION.messageAnnotations)
  if (section === undefined) return {}
  return Object.fromEntries(entriesOf(section).map(([name, fact]) => [String(read(name)), read(fact)]))
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
