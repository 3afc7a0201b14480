import { createRequire } from 'node:module'
import type { Options } from 'amqplib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DirectChannel } from '../../src/client/direct-channel.ts'
import { FrameWriter } from '../../src/client/frame-writer.ts'
import { type PublishFields, roomForHead } from '../../src/client/publish-frames.ts'
import { RecordingSocket } from '../support/recording-socket.ts'

// amqplib's own encoder, which it does not export.
const library = createRequire(createRequire(import.meta.url).resolve('amqplib'))
const { publish: fieldsOf } = library('./lib/api_args') as {
  publish: (exchange: string, routingKey: string, options: Options.Publish) => PublishFields
}
const defs = library('./lib/defs') as {
  BasicPublish: number
  BasicProperties: number
  encodeMethod: (id: number, channel: number, fields: PublishFields) => Buffer
  encodeProperties: (id: number, channel: number, size: number, fields: PublishFields) => Buffer
}

const CHANNEL = 300

/** The frames of a message as amqplib writes them. */
function expected(fields: PublishFields, body: Buffer): Buffer {
  const frame = Buffer.alloc(8 + body.length, 0xce)
  frame[0] = 3
  frame.writeUInt16BE(CHANNEL, 1)
  frame.writeUInt32BE(body.length, 3)
  body.copy(frame, 7)
  return Buffer.concat([
    defs.encodeMethod(defs.BasicPublish, CHANNEL, fields),
    defs.encodeProperties(defs.BasicProperties, CHANNEL, body.length, fields),
    ...(body.length > 0 ? [frame] : []),
  ])
}

const usual: Options.Publish = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  deliveryMode: 2,
  priority: 0,
  mandatory: false,
}
const fields = (changes: Options.Publish = {}, exchange = 'nova', key = 'compute'): PublishFields =>
  fieldsOf(exchange, key, { ...usual, ...changes })

function open() {
  const socket = new RecordingSocket()
  const writer = new FrameWriter(socket)
  const write = (message: PublishFields, body: Buffer): void =>
    writer.writeMessage(CHANNEL, message, roomForHead(message), body)
  return { socket, writer, write, written: () => Buffer.concat(socket.calls) }
}

describe('publish frames', () => {
  it('are byte for byte those of amqplib, whatever the names, headers and expirations are', () => {
    const text = fc.oneof(fc.string({ maxLength: 85 }), fc.string({ maxLength: 40, unit: 'grapheme' }))
    const message = fc.record({
      exchange: text,
      key: text,
      mandatory: fc.boolean(),
      expiration: fc.option(fc.nat().map(String), { nil: undefined }),
      headers: fc.option(fc.dictionary(text, fc.string({ maxLength: 200, unit: 'binary' }), { maxKeys: 4 }), {
        nil: undefined,
      }),
      size: fc.constantFrom(0, 1, 100, 16_384, 16_385, 60_000),
    })
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), (messages) => {
        const { writer, write, written } = open()
        const parts = messages.map(({ exchange, key, mandatory, expiration, headers, size }) => {
          const options = { ...usual, mandatory, ...(headers && { headers }), ...(expiration && { expiration }) }
          const message = fieldsOf(exchange, key, options)
          const body = Buffer.alloc(size, 'x')
          if (roomForHead(message) === 0) return Buffer.alloc(0)
          write(message, body)
          return expected(message, body)
        })
        writer.flush()
        expect(written().equals(Buffer.concat(parts))).toBe(true)
      }),
    )
  })

  it.each<[string, PublishFields]>([
    ['another content type', fields({ contentType: 'text/plain' })],
    ['another encoding', fields({ contentEncoding: 'latin1' })],
    ['a transient message', fields({ deliveryMode: 1 })],
    ['a priority', fields({ priority: 1 })],
    ['further properties', fields({ messageId: 'x' })],
    ['a header that is no text', fields({ headers: { attempts: 1 } })],
    ['headers that are too long', fields({ headers: { stack: 'x'.repeat(5000) } })],
    ['a name that is too long', fields({}, 'e'.repeat(256))],
    ['a key that is too long', fields({}, 'e', 'k'.repeat(256))],
  ])('leave %s to amqplib', (_what, message) => {
    expect(roomForHead(message)).toBe(0)
  })

  it('hold the headers that are inherited, as amqplib derives them', () => {
    const { writer, write, written } = open()
    const message = fields({ headers: { traceparent: '00' } })
    Object.assign(message.headers, { tracestate: 'dd' })
    write(message, Buffer.from('x'))
    writer.flush()
    expect(written().toString()).toMatch(/traceparent.*tracestate|tracestate.*traceparent/s)
    expect(written()).toEqual(expected(message, Buffer.from('x')))
  })

  it('leave large bodies as they are, between what comes before and after them, in one system call', () => {
    const { socket, writer, write, written } = open()
    const host = { writer, noteSending: () => {}, readProperties: () => expect.fail(), releaseChannel: () => {} }
    const internals = {
      ch: CHANNEL,
      consumers: new Map(),
      dispatchMessage: () => {},
      closeWithError: () => {},
      lwm: 1,
      unconfirmed: [],
      emit: () => true,
    }
    const channel = new DirectChannel(host, internals)
    const large = Buffer.alloc(50_000, 'x')
    write(fields(), Buffer.from('first'))
    write(fields(), large)
    channel.acknowledge(2 ** 33, true)
    writer.flush()
    const ack = Buffer.from('01012c0000000d003c0050000000020000000001ce', 'hex')
    expect(written()).toEqual(Buffer.concat([expected(fields(), Buffer.from('first')), expected(fields(), large), ack]))
    expect(socket.calls).toHaveLength(1)
  })

  it.each([false, true])('stay as they are until the socket has sent them (slow: %s)', async (slow) => {
    const { socket, writer, write, written } = open()
    socket.slow = slow
    const bodies = Array.from({ length: 200 }, (_, index) => Buffer.from(String(index).repeat(300)))
    for (const body of bodies) {
      write(fields(), body)
      writer.flush()
    }
    await expect.poll(() => socket.writableLength).toBe(0)
    expect(written().equals(Buffer.concat(bodies.map((body) => expected(fields(), body))))).toBe(true)
  })
})
