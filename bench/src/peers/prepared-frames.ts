import { once } from 'node:events'
import type { Socket } from 'node:net'
import { randomUUID } from 'node:crypto'
import { type Channel, type ChannelModel, connect } from 'amqplib'

// The floor under a call: a pair that does what the protocol asks of it and nothing else. The same declarations,
// connections, confirms and acknowledgements as the other contestants have, but every frame is prepared beforehand and
// nothing is read but where messages end. It is the same call again and again.

const EXCHANGE = 'openstack'
const METHOD = 1
const HEADER = 2
const BODY = 3
const FRAME_END = 0xce
/** Class and method of the frames concerned. */
const DELIVER = 0x3c_003c
const PUBLISH = 0x3c_0028
const ACK = 0x3c_0050
/** Properties that are there: content type and encoding, headers, delivery mode, priority; expiration besides. */
const FLAGS = 0xf800
const EXPIRATION = 0x0100
/** Replies are acknowledged in groups of so many, as the driver does. */
const GROUP = 64
/** Bytes at the end of a request in which its unique id is. */
const ID_LENGTH = 40

/** Without heartbeats: amqplib would miss those that it does not read any more, and cut the connection after two
 *  minutes. */
function open(url: string): Promise<ChannelModel> {
  const silent = new URL(url)
  silent.searchParams.set('heartbeat', '0')
  return connect(silent.href, { noDelay: true })
}

/** amqplib keeps them to itself. */
const socketOf = ({ connection }: ChannelModel): Socket => Reflect.get(connection, 'stream') as Socket
const numberOf = (channel: Channel): number => Reflect.get(channel, 'ch') as number

/** Calls with a text of that length. Replies are taken as they come, for the call that has waited longest. */
export async function createPreparedClient(
  url: string,
  topic: string,
  bytes: number,
): Promise<{ call(): Promise<void>; close(): Promise<void> }> {
  const [sending, receiving] = await Promise.all([open(url), open(url)])
  const requests = await sending.createConfirmChannel()
  const replies = await receiving.createChannel()
  const queue = `reply_${randomUUID().replaceAll('-', '')}`
  await replies.assertQueue(queue, { durable: false, arguments: { 'x-expires': 1_800_000 } })
  await replies.consume(queue, () => {})
  const id = randomUUID().replaceAll('-', '')
  const ids = { _msg_id: id, _reply_q: queue, _timeout: null, _unique_id: id }
  const body = envelope({ method: 'echo', args: { text: 'x'.repeat(bytes) }, ...ids })
  const request = messageFrames(numberOf(requests), EXCHANGE, topic, body, { expiration: '60000' })
  const waiting: (() => void)[] = []
  const ask = atTurnEnd(socketOf(sending))
  let count = 0
  takeFrames(sending, () => {})
  takeMessages(receiving, (tag) => {
    count += 1
    if (count % GROUP === 0) socketOf(receiving).write(ackFrame(numberOf(replies), tag, true))
    waiting.shift()?.()
  })
  return {
    call: async () => {
      const replied = new Promise<void>((resolve) => void waiting.push(resolve))
      ask(request)
      await replied
    },
    close: async () => await Promise.all([cut(sending), cut(receiving)]).then(() => {}),
  }
}

/** Answers whoever asked first with what it was asked. */
export async function createPreparedServer(url: string, topic: string): Promise<{ close(): Promise<void> }> {
  const [receiving, sending] = await Promise.all([open(url), open(url)])
  const requests = await receiving.createChannel()
  const replies = await sending.createConfirmChannel()
  await requests.assertExchange(EXCHANGE, 'topic', { durable: false })
  await requests.assertQueue(topic, { durable: false })
  await requests.bindQueue(topic, EXCHANGE, topic)
  await requests.prefetch(128)
  await requests.consume(topic, () => {})
  let reply: Buffer = Buffer.alloc(0)
  let answered = ''
  let last = 0n
  let taken = 0
  const answer = atTurnEnd(socketOf(sending))
  // After the replies: nobody waits for it.
  const acknowledge = (): void => {
    socketOf(receiving).write(ackFrame(numberOf(requests), last, taken > 1))
    taken = 0
  }
  takeFrames(sending, () => {})
  takeMessages(receiving, (tag, body) => {
    // The ids stand at the end, after the text, in messages of the same client all alike.
    const end = body.toString('latin1', body.length - ID_LENGTH)
    if (end !== answered) reply = replyTo(numberOf(replies), body)
    answered = end
    answer(reply)
    last = tag
    taken += 1
    if (taken === 1) setImmediate(acknowledge)
  })
  return { close: async () => await Promise.all([cut(receiving), cut(sending)]).then(() => {}) }
}

function replyTo(channel: number, body: Buffer): Buffer {
  const { 'oslo.message': text } = JSON.parse(body.toString()) as { 'oslo.message': string }
  const { args, _msg_id, _reply_q } = JSON.parse(text) as { args: { text: string }; _msg_id: string; _reply_q: string }
  const answer = { result: args.text, failure: null, ending: true, _msg_id, _unique_id: _msg_id }
  return messageFrames(channel, '', _reply_q, envelope(answer), { mandatory: true })
}

function envelope(message: object): Buffer {
  return Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }))
}

/** What is written in one turn of the event loop leaves in one piece. */
function atTurnEnd(socket: Socket): (frames: Buffer) => void {
  let parts: Buffer[] = []
  const flush = (): void => {
    socket.write(parts.length === 1 ? (parts[0] ?? '') : Buffer.concat(parts))
    parts = []
  }
  return (frames) => {
    parts.push(frames)
    if (parts.length === 1) setImmediate(flush)
  }
}

/** A farewell through amqplib would wait for answers that are not read any more. */
async function cut(opened: ChannelModel): Promise<void> {
  const stream = socketOf(opened)
  const closed = once(stream, 'close')
  stream.destroy()
  await closed
}

/** Takes the socket from amqplib. Pieces of frames are kept until the rest is there. */
function takeFrames(opened: ChannelModel, onFrame: (bytes: Buffer, at: number, size: number) => void): void {
  const stream = socketOf(opened)
  opened.on('error', () => {})
  stream.removeAllListeners('readable')
  let rest: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= 8) {
      const size = bytes.readUInt32BE(at + 3)
      if (bytes.length - at < size + 8) break
      onFrame(bytes, at, size)
      at += size + 8
    }
    rest = bytes.subarray(at)
  })
}

/** Messages whose body is one frame. */
function takeMessages(opened: ChannelModel, onMessage: (tag: bigint, body: Buffer) => void): void {
  let tag = 0n
  takeFrames(opened, (bytes, at, size) => {
    const type = bytes[at]
    if (type === METHOD && bytes.readUInt32BE(at + 7) === DELIVER) {
      const consumerTagLength = bytes[at + 11] ?? 0
      tag = bytes.readBigUInt64BE(at + 12 + consumerTagLength)
    } else if (type === BODY) onMessage(tag, bytes.subarray(at + 7, at + 7 + size))
  })
}

function messageFrames(
  channel: number,
  exchange: string,
  key: string,
  body: Buffer,
  { expiration, mandatory = false }: { readonly expiration?: string; readonly mandatory?: boolean },
): Buffer {
  const method = Buffer.concat([
    u32(PUBLISH),
    Buffer.alloc(2),
    short(exchange),
    short(key),
    Buffer.of(mandatory ? 1 : 0),
  ])
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(body.length))
  const flags = Buffer.alloc(2)
  flags.writeUInt16BE(FLAGS | (expiration === undefined ? 0 : EXPIRATION))
  const deliveryModeAndPriority = Buffer.of(2, 0)
  const header = Buffer.concat([
    Buffer.of(0, 60, 0, 0),
    size,
    flags,
    short('application/json'),
    short('utf-8'),
    u32(0),
    deliveryModeAndPriority,
    expiration === undefined ? Buffer.alloc(0) : short(expiration),
  ])
  return Buffer.concat([frame(METHOD, channel, method), frame(HEADER, channel, header), frame(BODY, channel, body)])
}

function ackFrame(channel: number, tag: bigint, multiple: boolean): Buffer {
  const payload = Buffer.alloc(13)
  payload.writeUInt32BE(ACK)
  payload.writeBigUInt64BE(tag, 4)
  payload[12] = multiple ? 1 : 0
  return frame(METHOD, channel, payload)
}

function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7)
  head[0] = type
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.of(FRAME_END)])
}

function short(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
