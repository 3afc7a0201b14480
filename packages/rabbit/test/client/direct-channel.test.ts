import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { ClientDelivery, OutgoingPublish } from '../../src/client/client.ts'
import { DirectChannel, type DirectHost } from '../../src/client/direct-channel.ts'
import { FrameReader } from '../../src/client/frame-reader.ts'
import { FrameWriter } from '../../src/client/frame-writer.ts'

const CHANNEL = 3

/** A socket that keeps what is written to it; each system call is one entry. */
class RecordingSocket extends Socket {
  readonly calls: Buffer[] = []
  /** Takes its time: bytes are looked at when the next turn of the event loop begins. */
  slow = false
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.calls.push(Buffer.from(chunk))
      done()
    }
    if (this.slow) setImmediate(take)
    else take()
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }
}

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

function open() {
  const socket = new RecordingSocket()
  const writer = new FrameWriter(socket)
  const events: { readonly event: string; readonly fields: unknown }[] = []
  const confirms: ((error: unknown) => void)[] = []
  let propertiesRead = 0
  const host: DirectHost = {
    writer,
    mostBodyBytes: 100_000,
    noteSending: () => {},
    readProperties: (bytes) => {
      propertiesRead += 1
      return { contentType: bytes.toString('utf8', 19, bytes.length - 1) }
    },
    releaseChannel: () => {},
  }
  const channel = new DirectChannel(host, {
    ch: CHANNEL,
    pushConfirmCallback: (onConfirm) => confirms.push(onConfirm),
    emit: (event, fields) => events.push({ event, fields }) > 0,
  })
  const foreign: string[] = []
  const reader = new FrameReader(
    () => 0,
    (bytes, start, end) => {
      if (!channel.take(bytes, start, end)) foreign.push(bytes.toString('hex', start, end))
    },
  )
  const deliveries: ClientDelivery[] = []
  channel.consume('1', (delivery) => deliveries.push(delivery))
  return {
    socket,
    writer,
    channel,
    reader,
    deliveries,
    events,
    confirms,
    foreign,
    propertiesRead: () => propertiesRead,
  }
}

describe('DirectChannel - reading', () => {
  it('hands over a delivery with its body, however many frames it comes in', () => {
    const { reader, deliveries, foreign } = open()
    reader.push(
      Buffer.concat([deliver(7, true), header(6, 'json'), frame(3, Buffer.from('abc')), frame(3, Buffer.from('def'))]),
    )
    expect(foreign).toEqual([])
    expect(deliveries).toEqual([
      {
        deliveryTag: 7,
        redelivered: true,
        exchange: 'nova',
        routingKey: 'key',
        properties: { contentType: 'json' },
        body: Buffer.from('abcdef'),
      },
    ])
  })

  it('hands over an empty message, which has no body frame', () => {
    const { reader, deliveries } = open()
    reader.push(Buffer.concat([deliver(2 ** 40 + 1), header(0, 'json')]))
    expect(deliveries.map(({ deliveryTag, body }) => [deliveryTag, body.length])).toEqual([[2 ** 40 + 1, 0]])
  })

  it('reads properties once for as long as they stay the same', () => {
    const { reader, deliveries, propertiesRead } = open()
    for (const properties of ['a', 'a', 'b', 'a']) reader.push(Buffer.concat([deliver(1), header(0, properties)]))
    expect(deliveries.map(({ properties }) => properties.contentType)).toEqual(['a', 'a', 'b', 'a'])
    expect(propertiesRead()).toBe(3)
  })

  it('passes on confirms', () => {
    const { reader, events } = open()
    reader.push(method(0x3c_0050, tag(5), Buffer.from([1])))
    reader.push(method(0x3c_0078, tag(6), Buffer.from([0])))
    expect(events).toEqual([
      { event: 'ack', fields: { deliveryTag: 5, multiple: true } },
      { event: 'nack', fields: { deliveryTag: 6, multiple: false } },
    ])
  })

  it('leaves returned messages and everything else to amqplib, with their header and body', () => {
    const { reader, deliveries, foreign } = open()
    reader.push(Buffer.concat([method(0x3c_0032), header(1, ''), frame(3, Buffer.from('r')), method(0x14_0028)]))
    expect(foreign).toHaveLength(4)
    expect(deliveries).toEqual([])
  })

  it('leaves the deliveries of consumers it does not know to amqplib', () => {
    const { reader, foreign } = open()
    reader.push(method(0x3c_003c, shortText('unknown'), tag(1), Buffer.from([0]), shortText(''), shortText('')))
    expect(foreign).toHaveLength(1)
  })
})

describe('DirectChannel - writing', () => {
  const message = (body: string, changes: Partial<OutgoingPublish> = {}): OutgoingPublish => ({
    exchange: 'nova',
    routingKey: 'compute',
    mandatory: false,
    expiration: '60000',
    headers: {},
    body: Buffer.from(body),
    ...changes,
  })
  const METHOD = method(0x3c_0028, shortText('nova'), shortText('compute'))
  const written = (body: string): Buffer =>
    Buffer.concat([METHOD, header(body.length, 'p'), frame(3, Buffer.from(body))])

  /** Publishes through the channel; the ordinary way is counted. */
  function publisher() {
    const opened = open()
    let ordinary = 0
    const publish = (sent: OutgoingPublish): void =>
      opened.channel.publish(
        sent,
        () => {},
        () => {
          ordinary += 1
          opened.writer.write(written(sent.body.toString()))
        },
      )
    return { ...opened, publish, ordinary: () => ordinary }
  }

  it('writes what amqplib would, after one message has shown what that is', () => {
    const { socket, writer, publish, ordinary, confirms } = publisher()
    for (const body of ['one', 'number two', '']) publish(message(body))
    writer.flush()
    const empty = Buffer.concat([METHOD, header(0, 'p')])
    expect(socket.calls).toEqual([Buffer.concat([written('one'), written('number two'), empty])])
    expect(ordinary()).toBe(1)
    expect(confirms).toHaveLength(2)
  })

  it('goes the ordinary way for whatever is not the same, and for headers and bodies of several frames always', () => {
    const { publish, ordinary } = publisher()
    publish(message('a'))
    publish(message('a', { mandatory: true }))
    publish(message('a', { mandatory: true, expiration: '1' }))
    publish(message('a', { mandatory: true, expiration: '1', exchange: 'neutron' }))
    expect(ordinary()).toBe(4)
    for (let count = 0; count < 2; count += 1) {
      publish(message('a', { headers: { traceparent: '00' } }))
      publish(message('a'.repeat(100_001)))
    }
    expect(ordinary()).toBe(8)
  })

  it('sends large bodies as they are, between what comes before and after them', () => {
    const { socket, writer, publish, channel } = publisher()
    const large = 'x'.repeat(50_000)
    publish(message('first'))
    publish(message(large))
    channel.acknowledge(2 ** 33, true)
    writer.flush()
    const ack = method(0x3c_0050, tag(2 ** 33), Buffer.from([1]))
    expect(Buffer.concat(socket.calls).equals(Buffer.concat([written('first'), written(large), ack]))).toBe(true)
    expect(socket.calls).toHaveLength(1)
  })

  it.each([false, true])('leaves alone what the socket may not have sent yet (slow: %s)', async (slow) => {
    const { socket, writer, publish } = publisher()
    socket.slow = slow
    const bodies = Array.from({ length: 200 }, (_, index) => String(index).repeat(300))
    for (const body of bodies) {
      publish(message(body))
      writer.flush()
    }
    await expect.poll(() => socket.writableLength).toBe(0)
    expect(Buffer.concat(socket.calls).equals(Buffer.concat(bodies.map(written)))).toBe(true)
  })
})
