import { setTimeout as sleep } from 'node:timers/promises'

import {
  getNotificationListener,
  type NotificationArguments,
  type NotificationEndpoint,
  type Priority,
  Target,
} from '@oslo-messaging/core'
import rhea from 'rhea'
import type { Connection, EventContext } from 'rhea'

import { payloadsOf, type Vector } from '../../../packages/amqp/test/support/vectors.ts'
import { Inbox } from '../../test/support/inbox.ts'
import type { Judge } from '../judge.ts'
import { type Message, numberIds, withoutFrames } from '../normalize.ts'
import { compareOutcomes, outcomeIn } from '../outcome.ts'
import { answersIn, bodyOf, decode, notificationIn } from './bodies.ts'
import { callOnce } from './play.ts'
import { apiOf, Sides } from './sides.ts'

/** Gives our side the bytes that Python's sent, with rhea alone, and compares what comes of them. */
export async function accept(judge: Judge, vector: Vector): Promise<void> {
  const { call } = vector.api
  const requests = payloadsOf(vector, 'client')
  if (requests.length > 0) {
    if (call.startsWith('RPCClient.')) await takeRequest(judge, vector)
    else await takeNotifications(judge, vector)
  }
  if (answersIn(vector).length > 0) await takeReplies(judge, vector)
}

async function withHand(sides: Sides, use: (hand: Connection) => Promise<void>): Promise<void> {
  const hand = rhea.create_container().connect({ host: '127.0.0.1', port: sides.peer.port, reconnect: false })
  hand.on('disconnected', () => {})
  try {
    await use(hand)
  } finally {
    hand.close()
  }
}

/** Stores the bytes under the address they were sent to. */
function put(hand: Connection, payloads: readonly Buffer[]): void {
  const [first] = payloads
  if (first === undefined) return
  const sender = hand.open_sender(String(decode(first).to))
  sender.once('sendable', () => {
    for (const payload of payloads) sender.send(payload, undefined, 0)
  })
}

/** Python's request, to our server; its answers are compared with Python's. */
async function takeRequest(judge: Judge, vector: Vector): Promise<void> {
  await using sides = await Sides.open(vector)
  const endpoint = await sides.serve()
  const wanted = answersIn(vector).map(({ body }) => answerIn(body))
  const answers = new Inbox<Message | string>()
  await withHand(sides, async (hand) => {
    const payloads = payloadsOf(vector, 'client')
    const [request] = payloads
    const replyTo = request === undefined ? undefined : decode(request).reply_to
    if (replyTo !== undefined) {
      const receiver = hand.open_receiver(replyTo)
      receiver.on('message', ({ message }: EventContext) => {
        judge.same('correlation id', message?.correlation_id, decode(request as Buffer).message_id)
        answers.add(answerIn(message?.body))
      })
      await new Promise<void>((resolve) => receiver.once('receiver_open', () => resolve()))
    }
    put(hand, payloads)
    await answers.atLeast(wanted.length)
    // Casts have no answer.
    if (wanted.length === 0) await endpoint.executions.atLeast(1)
  })
  judge.same('answers to Python', numberIds(answers.items), numberIds(wanted))
}

function answerIn(body: unknown): Message | string {
  return typeof body === 'string' && body !== '' ? withoutFrames(JSON.parse(body) as Message) : 'no body'
}

/** Python's notifications, to our listener. */
async function takeNotifications(judge: Judge, vector: Vector): Promise<void> {
  await using sides = await Sides.open(vector)
  const payloads = payloadsOf(vector, 'client')
  const wanted = payloads.map((payload) => {
    const body = bodyOf(payload)
    const { message_id, timestamp, publisher_id, event_type, priority, payload: value } = notificationIn(body)
    const metadata = { message_id, timestamp }
    return [String(priority).toLowerCase(), body['context'], publisher_id, event_type, value, metadata]
  })
  const address = String(payloads[0] === undefined ? '' : decode(payloads[0]).to)
  const topic = /([^./]+)\.[^.]+$/.exec(address)?.[1] ?? ''
  const taken = new Inbox<unknown>()
  const priorities = wanted.map(([priority]) => priority as Priority)
  const take =
    (priority: Priority) =>
    (...args: NotificationArguments): void =>
      taken.add([priority, ...args.slice(0, 5)])
  const endpoint = Object.fromEntries(priorities.map((each) => [each, take(each)])) as NotificationEndpoint
  await sides.start(getNotificationListener(await sides.bus('server'), [new Target({ topic })], [endpoint]))
  await withHand(sides, async (hand) => {
    put(hand, payloads)
    await taken.atLeast(payloads.length)
    judge.same('accepted', await sides.peer.acceptedBy(address, payloads.length), payloads.length)
  })
  judge.same('what the endpoint is given', taken.items, wanted)
}

/** Python's answers, to our client; only the correlation id is that of our call. */
async function takeReplies(judge: Judge, vector: Vector): Promise<void> {
  await using sides = await Sides.open(vector)
  const [request] = payloadsOf(vector, 'client')
  if (request === undefined) return
  const answers = answersIn(vector)
  await withHand(sides, async (hand) => {
    const receiver = hand.open_receiver(String(decode(request).to))
    receiver.on('message', ({ message }: EventContext) => {
      const sender = hand.open_sender(String(message?.reply_to))
      const correlated = answers.map((answer) => Object.assign(answer, { correlation_id: message?.message_id }))
      const sendAll = async (): Promise<void> => {
        for (const [index, each] of correlated.entries()) {
          // Signs of life come once a second.
          if (index > 0) await sleep(1000)
          sender.send(each)
        }
      }
      sender.once('sendable', () => void sendAll())
    })
    await new Promise<void>((resolve) => receiver.once('receiver_open', () => resolve()))
    const outcome = await callOnce(await sides.rpc('client'), vector)
    const named = 'result' in vector.api || 'error' in vector.api
    const { args } = apiOf(vector)
    compareOutcomes(judge, outcome, named ? outcomeIn(vector.api) : { result: args?.['text'] })
    judge.same('accepted', await sides.peer.acceptedBy('dynamic.', answers.length), answers.length)
  })
}
