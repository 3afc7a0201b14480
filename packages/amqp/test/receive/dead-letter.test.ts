import { failureFacts } from '@oslo-messaging/core/driver'
import rhea from 'rhea'
import { describe, expect, it } from 'vitest'
import { buriedOf, originalOf, originOf } from '../../src/receive/dead-letter.ts'
import { encodeMessage } from '../../src/wire/encode-message.ts'
import { SECTION, splitSections } from '../../src/wire/message-sections.ts'

const encodeAny = (message: object): Buffer => rhea.message.encode(message)
const decodeAny = (bytes: Buffer): object => rhea.message.decode(bytes)

const notification = (body: string): Buffer =>
  encodeMessage({
    to: 'unicast.openstack.n.info',
    body,
    durable: true,
    application_properties: { traceparent: '00-1' },
  })

const bury = (original: Buffer): Buffer =>
  buriedOf(original, 'unicast.openstack.n.info', failureFacts(3, new RangeError('cannot digest this')))

describe('P09 - dead letters of AMQP 1.0', () => {
  it.each(['{}', 'x'.repeat(300), 'é'.repeat(70_000)])('buried and back, it is the same message', (body) => {
    const original = notification(body)
    const letter = bury(original)
    expect(decodeAny(letter)).toMatchObject({
      durable: true,
      body,
      application_properties: {
        traceparent: '00-1',
        'x-oslo-origin': 'unicast.openstack.n.info',
        'x-oslo-attempts': '3',
        'x-oslo-reason': 'RangeError: cannot digest this',
        'x-oslo-stack': expect.stringContaining('RangeError') as string,
      },
    })
    expect(originOf(letter)).toBe('unicast.openstack.n.info')
    const back = originalOf(letter, 'unicast.openstack.n.info')
    expect(splitSections(back).rest).toEqual(splitSections(original).rest)
    expect({ ...decodeAny(back) }).toEqual({ ...decodeAny(original) })
  })

  it('a letter that Artemis has buried, with a count, an end and a body of data', () => {
    const body = Buffer.from([1, 2, 0xff])
    const letter = encodeAny({
      durable: true,
      delivery_count: 10,
      ttl: 5000,
      delivery_annotations: { 'x-opt-odd': 1 },
      message_annotations: { 'x-opt-ORIG-ADDRESS': 'here', 'x-opt-ORIG-QUEUE': 'here' },
      message_id: 'm1',
      to: 'DLQ',
      body: { collect_sections: (sections: unknown[]) => void sections.push(...dataSections(body)) },
    })
    expect(originOf(letter)).toBe('here')
    const { head, rest } = splitSections(originalOf(letter, 'here'))
    expect([...head.keys()]).toEqual([SECTION.header, SECTION.properties])
    expect(rest).toEqual(splitSections(letter).rest)
    expect(decodeAny(originalOf(letter, 'here'))).toMatchObject({ message_id: 'm1', to: 'here', durable: true })
    expect(decodeAny(originalOf(letter, 'here'))).not.toHaveProperty('ttl')
  })

  it.each([
    { what: 'no annotations', letter: notification('{}') },
    { what: 'others', letter: encodeAny({ message_annotations: { 'x-opt-exchange': 'e' }, body: '' }) },
    { what: 'an empty one', letter: encodeAny({ application_properties: { 'x-oslo-origin': '' }, body: '' }) },
  ])('$what - does not say where it came from', ({ letter }) => {
    expect(originOf(letter)).toBeUndefined()
  })

  it.each([
    Buffer.from('plain text'),
    Buffer.from([0x00]),
    Buffer.from([0x00, 0x53, 0x70, 0xc0, 0xff, 0x01]),
    Buffer.from([0x00, 0x53, 0x72, 0xd1, 0xff]),
    Buffer.from([0x00, 0x53, 0x70, 0xa1, 0x01, 0x41]),
  ])('%s is no message', (bytes) => {
    expect(() => splitSections(bytes)).toThrow(/no AMQP 1\.0 message/)
  })
})

/** One data section as rhea writes it. */
function dataSections(content: Buffer): unknown[] {
  const sections: unknown[] = []
  const section = (
    decodeAny(Buffer.concat([Buffer.from([0x00, 0x53, 0x75, 0xa0, content.length]), content])) as {
      readonly body: { collect_sections(into: unknown[]): void }
    }
  ).body
  section.collect_sections(sections)
  return sections
}
