import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeJson, isMessagingError, type OutgoingNotification } from '@oslo-messaging/core/driver'
import { decodeRecord, encodeRecord } from '../../src/wire/record.ts'
import { formatTopicName, topicsToRead, topicToSend } from '../../src/topology/topic-name.ts'

interface Produced {
  readonly method: 'produce'
  readonly record: { topic: string; key: null; headers: null; value: string }
}
interface Subscribed {
  readonly method: 'subscribe'
  readonly topics: readonly string[]
  readonly group: string
}
interface Vector {
  readonly id: string
  readonly api: {
    readonly url: string
    readonly topics?: readonly string[]
    readonly targets?: readonly { topic: string }[]
    readonly event_type?: string
  }
  readonly wire: readonly (Produced | Subscribed)[]
}

const folder = new URL('../../../../interop/vectors/', import.meta.url)
const vectors = readdirSync(folder)
  .filter((name) => name.startsWith('kafka-'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Vector)
const produced = vectors.flatMap((vector) =>
  vector.wire.flatMap((step) => (step.method === 'produce' ? [{ id: vector.id, vector, record: step.record }] : [])),
)
const subscribed = vectors.flatMap((vector) =>
  vector.wire.flatMap((step) => (step.method === 'subscribe' ? [{ id: vector.id, vector, step }] : [])),
)
const vhostOf = (vector: Vector): string | null =>
  new URL(vector.api.url.replace('<port>', '1')).pathname.slice(1) || null

describe('records', () => {
  it('every kafka vector is one that is sent or one that is subscribed', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(26)
    expect(vectors.every((vector) => vector.wire.length > 0)).toBe(true)
  })

  it.each(produced)('$id - what Python wrote is read', ({ record, vector }) => {
    const { message, context } = decodeRecord(Buffer.from(record.value))
    expect(message['event_type']).toBe(vector.api.event_type)
    expect(message['message_id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(message).not.toHaveProperty('_context')
    const outer = decodeJson(record.value) as { 'oslo.message': string }
    expect({ ...message, _context: context }).toEqual(decodeJson(outer['oslo.message']))
  })

  // Python puts spaces after commas and colons and escapes non-ASCII letters; both are free for a sender (WIRE 1.1).
  // Keys and their order are not.
  it.each(produced)('$id - the same envelope, message and order of keys are written', ({ record }) => {
    const { message, context } = decodeRecord(Buffer.from(record.value))
    const value = encodeRecord({ message: { ...message } as unknown as OutgoingNotification['message'], context })
    const layers = (text: string): readonly string[] => {
      const envelope = JSON.parse(text) as Record<string, string>
      return [
        JSON.stringify(Object.keys(envelope)),
        envelope['oslo.version'] ?? '',
        JSON.stringify(JSON.parse(envelope['oslo.message'] ?? '')),
      ]
    }
    expect(layers(value.toString())).toEqual(layers(record.value))
  })

  it.each(produced)('$id - the topic is the one Python chose', ({ record, vector }) => {
    const vhost = vhostOf(vector)
    const names = (vector.api.topics ?? []).map((topic) => {
      const priority = String(decodeRecord(Buffer.from(record.value)).message['priority']).toLowerCase()
      return topicToSend(formatTopicName(topic, priority, null), vhost, 'append')
    })
    expect(names).toContain(record.topic)
  })

  it.each(subscribed)('$id - the topics Python reads are among those of mode both', ({ step, vector }) => {
    const topics = (vector.api.targets ?? []).flatMap(({ topic }) =>
      topicsToRead(topic, 'info', vhostOf(vector), 'both'),
    )
    for (const topic of step.topics) expect(topics).toContain(topic)
    expect(step.group).toBe('oslo_messaging_consumer')
  })

  it('a record without _context has an empty one', () => {
    const text = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': '{"event_type": "e"}' })
    expect(decodeRecord(Buffer.from(text))).toEqual({ message: { event_type: 'e' }, context: {} })
  })

  it('a record without envelope is the message itself', () => {
    expect(decodeRecord(Buffer.from('{"event_type": "e", "_context": {"a": 1}}'))).toEqual({
      message: { event_type: 'e' },
      context: { a: 1 },
    })
  })

  it.each([
    ['no value', null],
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['nothing', ''],
    ['another envelope version', '{"oslo.version": "3.0", "oslo.message": "{}"}'],
    ['a broken message', '{"oslo.version": "2.0", "oslo.message": "{"}'],
  ])('cannot be read: %s', (_what, text) => {
    let thrown: unknown
    try {
      decodeRecord(text === null ? null : Buffer.from(text))
    } catch (error) {
      thrown = error
    }
    expect(isMessagingError(thrown, 'SERIALIZATION')).toBe(true)
  })
})
