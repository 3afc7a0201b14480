import type { Message } from 'amqplib'
import { describe, expect, it } from 'vitest'
import { DirectChannel, type DirectHost } from '../../src/client/direct-channel.ts'
import { FrameReader } from '../../src/client/frame-reader.ts'
import { FrameWriter } from '../../src/client/frame-writer.ts'
import { receive } from '../support/receive.ts'
import { RecordingSocket } from '../support/recording-socket.ts'

const CHANNEL = 3

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7)
  head[0] = type
  head.writeUInt16BE(CHANNEL, 1)
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}

const shortText = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text)])

function tag(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

const method = (id: number, ...fields: Buffer[]): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(id)
  return frame(1, Buffer.concat([bytes, ...fields]))
}

const header = (bodySize: number, properties: string): Buffer =>
  frame(2, Buffer.concat([Buffer.from([0, 60, 0, 0]), tag(bodySize), Buffer.from(properties)]))

const deliver = (deliveryTag: number, redelivered = false): Buffer =>
  method(
    0x3c_003c,
    shortText('1'),
    tag(deliveryTag),
    Buffer.from([redelivered ? 1 : 0]),
    shortText('nova'),
    shortText('key'),
  )

const NO_PROPERTIES: Message['properties'] = {
  contentType: undefined,
  contentEncoding: undefined,
  headers: undefined,
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
}

function open() {
  const socket = new RecordingSocket()
  const writer = new FrameWriter(socket)
  const events: { readonly event: string; readonly fields: unknown }[] = []
  const messages: Message[] = []
  let propertiesRead = 0
  const host: DirectHost = {
    writer,
    noteSending: () => {},
    readProperties: (bytes) => {
      propertiesRead += 1
      return { ...NO_PROPERTIES, contentType: bytes.toString('utf8', 19, bytes.length - 1) }
    },
    releaseChannel: () => {},
  }
  const channel = new DirectChannel(host, {
    ch: CHANNEL,
    consumers: new Map([['1', undefined]]),
    dispatchMessage: (_fields, message) => messages.push(message),
    emit: (event, fields) => events.push({ event, fields }) > 0,
    closeWithError: (_id: unknown, _reason: string, code: number) =>
      void events.push({ event: 'closed', fields: code }),
    lwm: 1,
    unconfirmed: Array.from({ length: 6 }, () => false as const),
  })
  const foreign: string[] = []
  const reader = new FrameReader(
    () => 0,
    (bytes, start, end) => {
      if (!channel.take(bytes, start, end)) foreign.push(bytes.toString('hex', start, end))
    },
  )
  return {
    socket,
    writer,
    channel,
    reader,
    messages,
    events,
    foreign,
    propertiesRead: () => propertiesRead,
  }
}

describe('DirectChannel - reading', () => {
  it('hands over a delivery with its body, however many frames it comes in', () => {
    const { reader, messages, foreign } = open()
    receive(
      reader,
      Buffer.concat([deliver(7, true), header(6, 'json'), frame(3, Buffer.from('abc')), frame(3, Buffer.from('def'))]),
    )
    expect(foreign).toEqual([])
    expect(messages).toEqual([
      {
        fields: { consumerTag: '1', deliveryTag: 7, redelivered: true, exchange: 'nova', routingKey: 'key' },
        properties: { ...NO_PROPERTIES, contentType: 'json' },
        content: Buffer.from('abcdef'),
      },
    ])
  })

  it('hands over an empty message, which has no body frame', () => {
    const { reader, messages } = open()
    receive(reader, Buffer.concat([deliver(2 ** 40 + 1), header(0, 'json')]))
    expect(messages.map(({ fields, content }) => [fields.deliveryTag, content.length])).toEqual([[2 ** 40 + 1, 0]])
  })

  it('reads properties once for as long as they stay the same', () => {
    const { reader, messages, propertiesRead } = open()
    for (const properties of ['a', 'a', 'b', 'a']) receive(reader, Buffer.concat([deliver(1), header(0, properties)]))
    expect(messages.map(({ properties }) => properties.contentType)).toEqual(['a', 'a', 'b', 'a'])
    expect(propertiesRead()).toBe(3)
  })

  it('passes on confirms', () => {
    const { reader, events } = open()
    receive(reader, method(0x3c_0050, tag(5), Buffer.from([1])))
    receive(reader, method(0x3c_0078, tag(6), Buffer.from([0])))
    expect(events).toEqual([
      { event: 'ack', fields: { deliveryTag: 5, multiple: true } },
      { event: 'nack', fields: { deliveryTag: 6, multiple: false } },
    ])
  })

  it('passes on no confirm that is none: one of a message that was not published closes the channel', () => {
    const { reader, events } = open()
    receive(reader, method(0x3c_0050, tag(0), Buffer.from([1])))
    expect(events).toEqual([])
    receive(reader, method(0x3c_0050, tag(7), Buffer.from([1])))
    expect(events).toEqual([{ event: 'closed', fields: 406 }])
  })

  it('leaves returned messages and everything else to amqplib, with their header and body', () => {
    const { reader, messages, foreign } = open()
    receive(reader, Buffer.concat([method(0x3c_0032), header(1, ''), frame(3, Buffer.from('r')), method(0x14_0028)]))
    expect(foreign).toHaveLength(4)
    expect(messages).toEqual([])
  })

  it('leaves the deliveries of consumers it does not know to amqplib', () => {
    const { reader, foreign } = open()
    receive(reader, method(0x3c_003c, shortText('unknown'), tag(1), Buffer.from([0]), shortText(''), shortText('')))
    expect(foreign).toHaveLength(1)
  })
})
