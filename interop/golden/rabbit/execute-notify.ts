import type { SharedRabbit } from '@oslo-messaging/brokers'
import {
  type ContextRedaction,
  getNotificationListener,
  type NotificationArguments,
  type NotificationEndpoint,
  type NotificationOutcome,
  NotificationResult,
  Notifier,
  type Priority,
  Target,
} from '@oslo-messaging/core'

import type { Vector } from '../../../packages/rabbit/test/support/vectors.ts'
import { Judge } from '../judge.ts'
import { compareDeclares, compareSide, pythonFacts } from './compare.ts'
import { messageIn } from './execute-rpc.ts'
import { factsOf } from './facts.ts'
import { Room } from './room.ts'
import { isDelivery, isPublish, settledBy } from './rpc.ts'
import { stepsOfOurs } from './steps.ts'

interface NotifyApi {
  readonly call: string
  readonly publisher_id?: string
  readonly driver: string
  readonly topics: readonly string[]
  readonly ctxt?: Readonly<Record<string, unknown>>
  readonly event_type?: string
  readonly payload?: unknown
  readonly payloads?: readonly unknown[]
}

const apiOf = ({ api }: Vector): NotifyApi => api as NotifyApi
const priorityOf = ({ call }: NotifyApi): Priority => call.replace('Notifier.', '') as Priority

/** A notification: as our notifier sends it, and as our listener takes what Python sent. */
export async function executeNotify(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  if (vector.file.endsWith('-dict-context-head.json')) {
    // The default keeps of a plain context what older releases kept; one setting does what newer ones do.
    const asConfigured = new Judge(vector.file)
    await send(asConfigured, rabbit, vector, 'copy-or-known-keys')
    if (asConfigured.verdict().outcome === 'differs') judge.excuse('plain-contexts-keep-known-keys')
    await send(judge, rabbit, vector, 'copy-or-nothing')
  } else await send(judge, rabbit, vector, 'copy-or-known-keys')
  await receive(judge, rabbit, vector)
}

async function send(
  judge: Judge,
  rabbit: SharedRabbit,
  vector: Vector,
  contextRedaction: ContextRedaction,
): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  await notify(room, vector, contextRedaction)
  if (apiOf(vector).topics.length === 1) return compareSide(judge, vector, 'client', room.frames('client'))
  judge.excuse('topics-side-by-side')
  const normalized = byTopic(vector.normalized)
  compareSide(judge, { ...vector, normalized }, 'client', byTopic(room.frames('client')))
}

/** Topics one after the other, each with its frames in their order. */
function byTopic<F extends { readonly args: Readonly<Record<string, unknown>> }>(frames: readonly F[]): readonly F[] {
  const topicOf = ({ args }: F): string => JSON.stringify([args['routing_key'] ?? args['queue']])
  return frames.toSorted((one, other) => (topicOf(one) < topicOf(other) ? -1 : topicOf(one) > topicOf(other) ? 1 : 0))
}

/** Does what the vector says, with our notifier. */
export async function notify(room: Room, vector: Vector, contextRedaction: ContextRedaction): Promise<void> {
  const api = apiOf(vector)
  const { driver, topics, publisher_id: publisherId = 'p', event_type: eventType = 'demo.event' } = api
  const notifier = new Notifier(await room.bus('client'), { driver, topics, publisherId, contextRedaction })
  for (const payload of api.payloads ?? [api.payload ?? {}])
    await notifier[priorityOf(api)](contextOf(api), eventType, payload)
}

/** `{ object: {...} }` stands for a context that knows what of it may be stored. */
function contextOf({ ctxt = {} }: NotifyApi): object {
  if (!('object' in ctxt)) return ctxt
  const { auth_token: _token, ...kept } = ctxt['object'] as Readonly<Record<string, unknown>>
  return { redactedCopy: () => kept }
}

/** What an endpoint was given, as Python's endpoints are given it. */
interface Taken {
  readonly priority: string
  readonly ctxt: object
  readonly publisher_id: string | null
  readonly event_type: string | null
  readonly payload: unknown
  readonly metadata: object
}

async function receive(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  const api = apiOf(vector)
  const taken: Taken[] = []
  await listen(
    room,
    api.topics,
    endpointFor(priorityOf(api), (each) => void taken.push(each)),
  )
  room.mark('server')
  const published = vector.wire.filter(({ method }) => method === 'basic.publish')
  for (const frame of published)
    hand.put(frame, { exchange: String(frame.args['exchange']), routingKey: String(frame.args['routing_key']) })
  await room.server.seen(published.length, isDelivery)
  await settledBy(room, 'server', published.length)
  const wanted = published.map((frame) => {
    const { message_id, timestamp, publisher_id, event_type, payload, ...rest } = messageIn(frame)
    const context = Object.entries(rest)
      .filter(([key]) => key.startsWith('_context_'))
      .map(([key, value]) => [key.slice('_context_'.length), value] as const)
    // Python leaves `client_timeout` (null) in the context here too.
    const ctxt = { ...Object.fromEntries(context), client_timeout: null }
    const metadata = { message_id, timestamp }
    return { priority: priorityOf(api), ctxt, publisher_id, event_type, payload, metadata }
  })
  const sorted = (list: readonly unknown[]): string[] => list.map((each) => JSON.stringify(each)).toSorted()
  judge.same('what the endpoint is given', sorted(taken), sorted(wanted))
  const { settlements } = factsOf(stepsOfOurs(room.frames('server')))
  judge.same(
    'settlements',
    settlements,
    wanted.map(() => 'ack'),
  )
}

function endpointFor(priority: Priority, take: (taken: Taken) => NotificationOutcome): NotificationEndpoint {
  return {
    [priority]: (...[ctxt, publisher_id, event_type, payload, metadata]: NotificationArguments) =>
      take({ priority, ctxt, publisher_id, event_type, payload, metadata }),
  }
}

async function listen(
  room: Room,
  topics: readonly (string | Target)[],
  endpoint: NotificationEndpoint,
  options: { readonly allowRequeue?: boolean; readonly pool?: string } = {},
): Promise<void> {
  const targets = topics.map((topic) => (typeof topic === 'string' ? new Target({ topic }) : topic))
  const listener = getNotificationListener(await room.bus('server'), targets, [endpoint], options)
  room.closeLater({ close: () => listener.stop() })
  await listener.start()
}

/** Settlement of deliveries by an endpoint, and of those no endpoint gets. */
export async function executeConsume(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const hand = await room.hand()
  const api = vector.api as {
    readonly allow_requeue?: boolean
    readonly endpoint_returns?: string | null
    readonly payloads_seen?: readonly unknown[]
  }
  const deliveries = vector.wire.filter(isDelivery)
  const fresh = deliveries.filter(({ args }) => args['redelivered'] !== true)
  const [topic = '', priority = ''] = String(deliveries[0]?.args['routing_key']).split('.')
  const payloads: unknown[] = []
  const endpoint = endpointFor(priority as Priority, ({ payload }) => {
    payloads.push(payload)
    if (api.endpoint_returns === 'REQUEUE once' && payloads.length === 1) return NotificationResult.REQUEUE
    return undefined
  })
  await listen(room, [topic], endpoint, { allowRequeue: api.allow_requeue ?? false })
  room.mark('server')
  for (const [index, frame] of fresh.entries()) {
    hand.put(frame, { exchange: String(frame.args['exchange']), routingKey: String(frame.args['routing_key']) })
    // One after the other, as in the capture: the ids that count for duplicates are those that were acknowledged.
    await room.server.seen(index + 1, isDelivery)
    await settledBy(room, 'server', index + 1)
  }
  await room.server.seen(deliveries.length, isDelivery)
  await settledBy(room, 'server', deliveries.length)
  const [ours, python] = [factsOf(stepsOfOurs(room.frames('server'))), pythonFacts(vector, 'server')]
  if (python.settlements.includes('none')) judge.excuse('duplicates-are-acknowledged')
  judge.same(
    'settlements',
    ours.settlements,
    python.settlements.map((each) => (each === 'none' ? 'ack' : each)),
  )
  if (api.payloads_seen !== undefined) judge.same('payloads', payloads, api.payloads_seen)
}

/** Declarations of a notifier. */
export async function executeNotifierDeclares(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  await notify(room, vector, 'copy-or-known-keys')
  await room.client.seen(1, isPublish)
  const [ours, python] = [factsOf(stepsOfOurs(room.frames('client'))), pythonFacts(vector, 'client')]
  compareDeclares(judge, vector, ours.declares, python.declares)
}

/** Declarations of a listener. */
export async function executeListenerDeclares(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  const { targets, endpoint_methods, pool } = vector.api as {
    readonly targets: readonly { readonly topic: string; readonly exchange?: string }[]
    readonly endpoint_methods: readonly Priority[]
    readonly pool?: string
  }
  const endpoint = Object.assign(
    {},
    ...endpoint_methods.map((each) => endpointFor(each, () => {})),
  ) as NotificationEndpoint
  await listen(
    room,
    targets.map((each) => new Target(each)),
    endpoint,
    pool === undefined ? {} : { pool },
  )
  const [ours, python] = [factsOf(stepsOfOurs(room.frames('server'))), pythonFacts(vector, 'server')]
  compareDeclares(judge, vector, ours.declares, python.declares, 'free')
}
