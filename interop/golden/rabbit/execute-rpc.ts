import { setTimeout as sleep } from 'node:timers/promises'

import type { SharedRabbit } from '@oslo-messaging/brokers'

import { decompress } from '../../../packages/rabbit/src/wire/compression.ts'
import { MOST_BYTES } from './most-bytes.ts'
import { bytesOf } from '../../../packages/rabbit/test/support/vector-sets.ts'
import type { Vector, VectorFrame } from '../../../packages/rabbit/test/support/vectors.ts'
import type { Judge } from '../judge.ts'
import { type CallOutcome, compareOutcomes, outcomeIn, type PythonOutcome } from '../outcome.ts'
import { compareSide } from './compare.ts'
import type { Hand } from './hand.ts'
import { Room } from './room.ts'
import { call, converse, isDelivery, isPublish, serve, settledBy } from './rpc.ts'

type Message = Readonly<Record<string, unknown>>

/** A call or cast, three times: ours to ours, Python's request to our server, Python's reply to our client. */
export async function executeRpc(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  const python = outcomeIn(vector.api)
  {
    await using room = await Room.open(rabbit, vector)
    compareOutcomes(judge, await converse(room, vector), python)
    compareSide(judge, vector, 'client', room.frames('client'))
    if (sentBy(vector, 'server').length > 0) compareSide(judge, vector, 'server', room.frames('server'))
  }
  if (sentBy(vector, 'server').length === 0) return
  await replayRequest(judge, rabbit, vector)
  if (sentBy(vector, 'server').some(({ method }) => method === 'basic.publish'))
    await replayReplies(judge, rabbit, vector, python)
}

export const sentBy = (vector: Vector, side: 'client' | 'server'): readonly VectorFrame[] =>
  vector.wire.filter(({ peer, direction }) => peer === side && direction === 'sent')

/** The message inside a captured frame, as it was, ids included. */
export function messageIn(frame: VectorFrame | undefined): Message {
  if (frame === undefined) return {}
  const headers = frame.properties?.['headers'] as Message | undefined
  const outer = JSON.parse(decompress(headers, bytesOf(frame), MOST_BYTES).toString('utf8')) as Message
  const inner = outer['oslo.message']
  return typeof inner === 'string' ? (JSON.parse(inner) as Message) : outer
}

/** What Python's client sent, byte for byte, to our server. */
async function replayRequest(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  await serve(room, vector)
  const [request] = sentBy(vector, 'client').filter(({ method }) => method === 'basic.publish')
  if (request === undefined) throw new Error(`${vector.id}: no request`)
  const { _reply_q: replyQueue } = messageIn(request)
  if (typeof replyQueue === 'string') await hand.queue(replyQueue)
  room.mark('server')
  hand.put(request, placeOf(request))
  const wanted = sentBy(vector, 'server').filter(({ method }) => method === 'basic.publish').length
  await room.server.seen(wanted, isPublish)
  await settledBy(room, 'server', 1)
  compareSide(judge, vector, 'server', room.frames('server'))
}

const placeOf = ({ args }: VectorFrame): { readonly exchange: string; readonly routingKey: string } => ({
  exchange: String(args['exchange']),
  routingKey: String(args['routing_key']),
})

/** What Python's server answered, byte for byte but for the id of the call, to our client. */
async function replayReplies(judge: Judge, rabbit: SharedRabbit, vector: Vector, python: PythonOutcome): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  const answers = sentBy(vector, 'server').filter(({ method }) => method === 'basic.publish')
  const start = vector.wire.find((frame) => frame.peer === 'server' && isDelivery(frame))?.t ?? 0
  const script = answers.map((frame) => ({ frame, afterMs: ((frame.t ?? 0) - start) * 1000 }))
  const answered = await answerByHand(hand, vector, script)
  compareOutcomes(judge, await call(await room.rpc('client'), vector), python)
  await answered()
  await room.client.seen(answers.length, isDelivery)
  await settledBy(room, 'client', answers.length)
  compareSide(judge, vector, 'client', room.frames('client'))
}

interface Line {
  readonly frame: VectorFrame
  /** Since the request came. */
  readonly afterMs: number
}

/** Stands in for the server of a vector with plain amqplib; resolves to a wait for the end of the script. */
export async function answerByHand(hand: Hand, vector: Vector, script: readonly Line[]): Promise<() => Promise<void>> {
  const [request] = sentBy(vector, 'client').filter(({ method }) => method === 'basic.publish')
  if (request === undefined) throw new Error(`${vector.id}: no request`)
  const { exchange, routingKey } = placeOf(request)
  const captured = String(messageIn(request)['_msg_id'])
  await hand.queue(routingKey, exchange)
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const play = async (msgId: string, replyQueue: string): Promise<void> => {
    const started = performance.now()
    for (const { frame, afterMs } of script) {
      await sleep(Math.max(0, afterMs - (performance.now() - started)))
      hand.put(frame, { exchange: '', routingKey: replyQueue }, (text) => text.replaceAll(captured, msgId))
    }
    finish()
  }
  await hand.take(routingKey, ({ content, properties }) => {
    const text = decompress(properties.headers, content, MOST_BYTES).toString('utf8')
    const message = JSON.parse(String((JSON.parse(text) as Message)['oslo.message'])) as Message
    void play(String(message['_msg_id']), String(message['_reply_q']))
  })
  return () => finished
}

interface ByHandApi {
  readonly replies: readonly (number | object)[]
  readonly outcome: { readonly result?: unknown; readonly error?: readonly [string, string]; readonly seconds: number }
}

/** Replies no orderly server sends. */
export async function executeByHand(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  const { replies, outcome } = vector.api as ByHandApi
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  const frames = vector.wire.filter((frame) => frame.peer === 'client' && isDelivery(frame))
  const script: Line[] = []
  let afterMs = 0
  for (const each of replies) {
    const frame = frames[script.length]
    if (typeof each === 'number') afterMs += each * 1000
    else if (frame !== undefined) script.push({ frame, afterMs })
  }
  const answered = await answerByHand(hand, vector, script)
  const transport = await room.rpc('client')
  const [request] = sentBy(vector, 'client')
  const { method, args } = messageIn(request)
  const asked = { ...vector, api: { ...vector.api, method, args } }
  const started = performance.now()
  const ours = await call(transport, asked)
  const seconds = (performance.now() - started) / 1000
  const last = messageIn(script.at(-1)?.frame)['result']
  compareOutcomes(judge, ours, pythonOutcome(outcome), last)
  if (!(outcome.error?.[0] === 'AttributeError'))
    judge.same(`seconds, ${seconds.toFixed(2)}, near ${outcome.seconds}`, isNear(seconds, outcome.seconds), true)
  await answered()
  await room.client.seen(script.length, isDelivery)
  await settledBy(room, 'client', script.length)
  compareSide(judge, vector, 'client', room.frames('client'))
}

/** Not noticeably sooner, and later by no more than a busy machine explains. */
const isNear = (seconds: number, python: number): boolean => seconds > python - 1 && seconds < python + 5

function pythonOutcome({ result = null, error }: ByHandApi['outcome']): PythonOutcome {
  return error === undefined ? { result } : { error: { name: error[0], text: error[1] } }
}

/** Requests as a program might send them that is no oslo.messaging. */
export async function executeRawRequest(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  const endpoint = await serve(room, vector)
  room.mark('server')
  const deliveries = vector.wire.filter(isDelivery)
  for (const frame of deliveries) hand.put(frame, placeOf(frame))
  await room.server.seen(deliveries.length, isDelivery)
  await settledBy(room, 'server', deliveries.length)
  const { executed_calls: executed } = vector.api as { readonly executed_calls: readonly unknown[] }
  judge.same('executed', endpoint.executions.items, executed)
  compareSide(judge, vector, 'server', room.frames('server'))
}

/** WIRE 10.2: Python goes on with heartbeats after it has refused the method. */
export async function executeHeartbeatLeak(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  await serve(room, vector)
  const transport = await room.rpc('client')
  room.mark('server')
  const ours: CallOutcome = await call(transport, vector, {})
  const { error: name } = vector.api as { readonly error: string }
  compareOutcomes(judge, ours, { error: { name, text: null } })
  // Two intervals of Python's leak.
  await sleep(2200)
  const onlyReply = {
    ...vector,
    normalized: vector.normalized.filter((frame) => messageOf(frame)['ending'] !== false),
  }
  compareSide(judge, onlyReply, 'server', room.frames('server'))
  judge.same('messages to the client', room.frames('server').filter(isPublish).length, 1)
  judge.excuse('heartbeats-end-with-the-call')
}

const messageOf = ({ parsed }: VectorFrame): Message => parsed?.message ?? {}

/** The queue for replies goes away while the method runs. */
export async function executeMissingQueue(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  await serve(room, vector)
  room.mark('server')
  const request = vector.wire.find((frame) => frame.peer === 'server' && isDelivery(frame))
  if (request === undefined) throw new Error(`${vector.id}: no request`)
  const isRecovered = vector.file.includes('recovered')
  const { args, _reply_q: captured } = messageIn(request)
  if (isRecovered) {
    const calling = call(await room.rpc('client'), vector, args as Message)
    await room.client.seen(1, isPublish)
    const [publish] = room.frames('client').filter(isPublish)
    const { _reply_q: queue } = JSON.parse(
      String((JSON.parse(String(publish?.body)) as Message)['oslo.message']),
    ) as Message
    await room.server.seen(1, isDelivery)
    // When it was lost in the capture: halfway through the method, which ends when the queue is back and its calls are
    // not given up yet.
    const loss = vector.wire.find(({ peer, method }) => peer === 'client' && method === 'basic.cancel')
    if (loss?.t === undefined || request.t === undefined) throw new Error(`${vector.id}: no loss`)
    await sleep((loss.t - request.t) * 1000)
    await hand.deleteQueue(String(queue))
    const { outcome } = vector.api as { readonly outcome: PythonOutcome }
    compareOutcomes(judge, await calling, outcome)
    await settledBy(room, 'client', 1)
    compareSide(judge, vector, 'client', room.frames('client'))
  } else {
    // The client has gone, and its queue with it.
    await hand.queue(String(captured))
    await hand.deleteQueue(String(captured))
    hand.put(request, placeOf(request))
  }
  const attempts = vector.wire.filter((frame) => frame.peer === 'server' && frame.method === 'basic.publish').length
  if (!isRecovered) {
    // A busy machine makes two fewer in the same time, as is allowed below.
    await room.server.seen(attempts - 2, isPublish, 15_000)
    // Three intervals more than the last attempt may take: then nothing comes any more.
    await sleep(1200)
  }
  compareAttempts(judge, vector, room)
}

/** Attempts of one reply differ in `_unique_id` alone and are about 250 ms apart; how many fit in depends on the
 *  clock. */
function compareAttempts(judge: Judge, vector: Vector, room: Room): void {
  const frames = room.frames('server')
  const published = frames.filter(isPublish)
  const wanted = vector.wire.filter((frame) => frame.peer === 'server' && frame.method === 'basic.publish')
  const withoutId = (message: Message): string => {
    const { _unique_id: _id, _msg_id: _msg, ...rest } = message
    return JSON.stringify(rest)
  }
  const distinct = (list: readonly Message[]): string[] => [...new Set(list.map(withoutId))]
  const messages = published.map(({ body }) => messageInText(String(body)))
  judge.same('messages', distinct(messages), distinct(wanted.map(messageIn)))
  judge.same('each has an id of its own', new Set(messages.map((each) => each['_unique_id'])).size, messages.length)
  const ending = published.filter((_, index) => messages[index]?.['ending'] === true)
  const gaps = ending.slice(1).map(({ at }, index) => at - (ending[index]?.at ?? 0))
  // The last one is made when the time is up, however near the one before is.
  const early = gaps.slice(0, -1).some((ms) => ms < 150)
  judge.same(
    `attempts are 250 ms apart: ${gaps.map(Math.round).join(', ')}`,
    early || gaps.some((ms) => ms > 650),
    false,
  )
  if (vector.file.includes('recovered')) return judge.excuse('recovery-is-quicker')
  const endings = wanted.map(messageIn).filter((message) => message['ending'] === true)
  judge.same(
    `about as many attempts: ${ending.length} and ${endings.length}`,
    Math.abs(ending.length - endings.length) <= 2,
    true,
  )
  judge.same(
    'settlements',
    frames.filter(({ direction, method }) => direction === 'sent' && method === 'basic.ack').length,
    1,
  )
}

function messageInText(text: string): Message {
  const outer = JSON.parse(text) as Message
  return JSON.parse(String(outer['oslo.message'])) as Message
}
