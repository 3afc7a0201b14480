import rhea from 'rhea'
import { describe, expect, it } from 'vitest'
import { encodeMessage, type EncodableMessage } from '../../src/wire/encode-message.ts'
import { readMessage } from '../../src/wire/read-message.ts'

const decode = (message: EncodableMessage): Record<string, unknown> =>
  JSON.parse(JSON.stringify(rhea.message.decode(encodeMessage(message)))) as Record<string, unknown>

describe('messages on the wire, read by rhea', () => {
  it.each<[string, EncodableMessage, object]>([
    ['a cast', { to: 'a', body: '{}' }, { to: 'a', body: '{}' }],
    [
      'a call',
      { to: 'a', message_id: 'id', reply_to: 'r', ttl: 60_000, body: '{"a":1}' },
      { to: 'a', message_id: 'id', reply_to: 'r', ttl: 60_000, body: '{"a":1}' },
    ],
    ['a reply', { to: 'r', correlation_id: 'id', body: '' }, { to: 'r', correlation_id: 'id', body: '' }],
    ['a durable one', { to: 'n', durable: true, body: '1' }, { to: 'n', durable: true, body: '1' }],
    ['a durable one with a ttl', { to: 'n', durable: true, ttl: 0, body: '1' }, { durable: true, ttl: 0, body: '1' }],
    ['a longer ttl than fits', { to: 'n', ttl: 2 ** 40, body: '1' }, { ttl: 2 ** 32 - 1 }],
    ['255 bytes', { to: 'n', body: 'x'.repeat(255) }, { body: 'x'.repeat(255) }],
    ['256 bytes', { to: 'n', body: 'x'.repeat(256) }, { body: 'x'.repeat(256) }],
    ['more than a megabyte', { to: 'n', body: 'ż'.repeat(1e6) }, { body: 'ż'.repeat(1e6) }],
    ['beyond the basic plane', { to: 'ą/😀', body: '😀' }, { to: 'ą/😀', body: '😀' }],
    ['long names', { to: 't'.repeat(300), reply_to: 'r'.repeat(200), body: '1' }, { to: 't'.repeat(300), body: '1' }],
    [
      'headers',
      { to: 'n', body: '1', application_properties: { traceparent: '00-1', tracestate: 'ż'.repeat(200) } },
      { application_properties: { traceparent: '00-1', tracestate: 'ż'.repeat(200) }, body: '1' },
    ],
    ['headers that are none', { to: 'n', body: '1', application_properties: {} }, { to: 'n', body: '1' }],
  ])('%s', (_name, message, expected) => {
    expect(decode(message)).toMatchObject(expected)
  })

  it('a sign of life has no body section, and a null one has a null', () => {
    expect(rhea.message.decode(encodeMessage({ to: 'r', correlation_id: 'id', body: undefined })).body).toBeUndefined()
    expect(rhea.message.decode(encodeMessage({ to: 'r', body: null })).body).toBeNull()
  })

  it.each([
    ['a string', 'm'],
    ['a number', 7],
    ['a uuid', Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')],
  ])('the id of a request comes back as it was: %s', (_name, id) => {
    const { messageId } = readMessage(rhea.message.encode({ message_id: id, body: '' }))
    const { correlation_id: returned, body } = rhea.message.decode(
      encodeMessage({ to: 'r', correlation_id: messageId, body: undefined }),
    )
    expect(returned).toEqual(id)
    expect(body).toBeUndefined()
  })

  it('is what rhea writes, to the byte, for a message of one string', () => {
    const bytes = encodeMessage({ to: 'a', body: 'b' })
    const hex = '005373c009064040a10161404040005377a10162'
    expect(bytes.toString('hex')).toBe(hex)
  })
})
