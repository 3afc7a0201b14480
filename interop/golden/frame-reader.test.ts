import { describe, expect, it } from 'vitest'

import { Judge } from './judge.ts'
import { numberIds } from './normalize.ts'
import { FrameReader, type WireFrame } from './rabbit/frame-reader.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** A frame with its length and end. */
function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7)
  head.writeUInt8(type, 0)
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, hex('ce')])
}

/** `queue.declare` with one argument of type I, then `basic.publish` of two bytes in two body frames. */
const declare = frame(1, 1, hex('0032 000a 0000 03 64656d 02 0000000f 09 782d65787069726573 49 00000bb8'))
const publish = frame(1, 1, hex('003c 0028 0000 09 6f70656e737461636b 04 64656d6f 01'))
// content-type, headers and delivery-mode: flags 15, 13 and 12.
const header = frame(2, 1, hex('003c 0000 0000000000000002 b000 10 6170706c69636174696f6e2f6a736f6e 00000000 02'))
const STREAM = Buffer.concat([
  hex('414d515000000901'),
  declare,
  publish,
  header,
  frame(3, 1, hex('7b')),
  frame(3, 1, hex('7d')),
])

const EXPECTED = [
  { channel: 0, method: 'protocol-header', args: { bytes: '414d515000000901' } },
  {
    channel: 1,
    method: 'queue.declare',
    args: {
      queue: 'dem',
      passive: false,
      durable: true,
      exclusive: false,
      auto_delete: false,
      nowait: false,
      arguments: { 'x-expires': 3000 },
      arguments_types: { 'x-expires': 'I' },
    },
  },
  {
    channel: 1,
    method: 'basic.publish',
    args: { exchange: 'openstack', routing_key: 'demo', mandatory: true, immediate: false },
    properties: { content_type: 'application/json', headers: {}, delivery_mode: 2 },
    body: Buffer.from('{}'),
  },
]

describe('the decoder of AMQP 0-9-1', () => {
  it.each([1, 3, 7, STREAM.length])('reads methods, tables and content from pieces of %i bytes', (size) => {
    const frames: WireFrame[] = []
    const reader = new FrameReader((each) => frames.push(each))
    for (let at = 0; at < STREAM.length; at += size) reader.read(STREAM.subarray(at, at + size))
    expect(frames).toEqual(EXPECTED)
  })
})

describe('the judge', () => {
  it('lets nothing pass that is not the same, not excused by the table, or not compared', () => {
    const judge = new Judge('v')
    judge.same('a', { n: 1 }, { n: 1 })
    expect(judge.verdict()).toMatchObject({ outcome: 'equal', comparisons: 1 })
    judge.excuse('declared-once')
    expect(judge.verdict()).toMatchObject({ outcome: 'equal but for', differences: ['declared-once'] })
    judge.same('a', { n: 1 }, { n: 2 })
    expect(judge.verdict()).toMatchObject({ outcome: 'differs' })
    expect(() => judge.excuse('because')).toThrow(/no row because/)
    expect(new Judge('v').verdict()).toMatchObject({ outcome: 'differs', details: ['nothing was compared'] })
  })

  it('numbers ids so that what belongs together still does', () => {
    const [one, other] = ['a'.repeat(32), 'b'.repeat(32)]
    expect(numberIds([one, `reply_${other}`, one])).toEqual(['<id-1>', 'reply_<id-2>', '<id-1>'])
    expect(numberIds(['<msg-id-1>', 'reply_<reply-1>', '<msg-id-1>'])).toEqual(['<id-1>', 'reply_<id-2>', '<id-1>'])
    expect(numberIds(['<msg-id-1>', 'reply_<reply-1>', '<msg-id-2>'])).not.toEqual(
      numberIds([one, `reply_${other}`, one]),
    )
  })
})
