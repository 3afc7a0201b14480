import {
  getNotificationListener,
  getRpcClient,
  type NotificationArguments,
  type NotificationEndpoint,
  NotificationResult,
  Notifier,
  type Priority,
  type RPCTransport,
  Target,
} from '@oslo-messaging/core'

import { payloadsOf, type Vector } from '../../../packages/amqp/test/support/vectors.ts'
import { Inbox } from '../../test/support/inbox.ts'
import type { Judge } from '../judge.ts'
import { type CallOutcome, compareOutcomes, outcomeIn } from '../outcome.ts'
import { bodyOf, notificationIn } from './bodies.ts'
import { apiOf, type Sides } from './sides.ts'

/** Does through the public API what the vector says, and compares how it ends. */
export async function play(judge: Judge, vector: Vector, sides: Sides): Promise<void> {
  const { call } = vector.api
  if (call.startsWith('RPCClient.')) return await playRpc(judge, vector, sides)
  if (call.startsWith('Notifier.')) return await playNotify(vector, sides)
  switch (call) {
    case 'RPCServer.start':
      await sides.serve()
      return
    case 'get_notification_listener.start':
      return await playListen(vector, sides)
    case 'listener endpoint':
      return await playConsume(judge, vector, sides)
    case 'connect':
      await Promise.all([probe(sides, 'client'), probe(sides, 'server')])
      return
    case 'Transport.cleanup':
      await sides.serve()
      judge.same('outcome', await callOnce(await sides.rpc('client'), vector), { result: 'hello' })
      return
    default:
      throw new Error(`${vector.id}: there is no way to do ${call}`)
  }
}

/** One call or cast with our client. */
export async function callOnce(transport: RPCTransport, vector: Vector): Promise<CallOutcome> {
  const { call, target = { topic: 'demo' }, client_options: options = {}, ...api } = apiOf(vector)
  const { timeout, call_monitor_timeout: monitor } = options
  const { topic, ...changes } = target
  const client = getRpcClient(transport, new Target({ topic }), {
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
    ...(monitor === undefined ? {} : { callMonitorTimeoutMs: monitor * 1000 }),
  }).prepare(changes)
  const [ctxt, method, args] = [api.ctxt ?? {}, api.method ?? 'text', api.args ?? { text: 'hello' }]
  try {
    if (call === 'RPCClient.cast') {
      await client.cast(ctxt, method, args)
      return { result: null }
    }
    return { result: await client.call(ctxt, method, args) }
  } catch (error) {
    return { error }
  }
}

async function playRpc(judge: Judge, vector: Vector, sides: Sides): Promise<void> {
  const endpoint = await sides.serve()
  const outcome = await callOnce(await sides.rpc('client'), vector)
  // The first call of a connection has no outcome in its vector.
  if ('result' in vector.api || 'error' in vector.api) compareOutcomes(judge, outcome, outcomeIn(vector.api))
  else judge.same('outcome', outcome, { result: apiOf(vector).args?.['text'] })
  if (vector.api.call === 'RPCClient.cast') await endpoint.executions.atLeast(1)
}

/** With our notifier. */
export async function playNotify(vector: Vector, sides: Sides): Promise<void> {
  const { call, driver = 'messaging', topics = [], publisher_id: publisherId = 'p', ...api } = apiOf(vector)
  const notifier = new Notifier(await sides.bus('client'), { driver, topics, publisherId })
  const priority = call.replace('Notifier.', '') as Priority
  await notifier[priority](api.ctxt ?? {}, api.event_type ?? 'e', api.payload)
}

async function playListen(vector: Vector, sides: Sides): Promise<void> {
  const { targets = [], endpoint_methods: priorities = [] } = apiOf(vector)
  const endpoint = Object.fromEntries(priorities.map((priority) => [priority, () => {}])) as NotificationEndpoint
  const wanted = targets.map((target) => new Target(target))
  await sides.start(getNotificationListener(await sides.bus('server'), wanted, [endpoint]))
}

/** Accepted, then released once and accepted. */
async function playConsume(judge: Judge, vector: Vector, sides: Sides): Promise<void> {
  const taken = new Inbox<string>()
  const endpoint = {
    info: (...[, , eventType]: NotificationArguments) => {
      taken.add(String(eventType))
      const isFirst = taken.items.filter((each) => each === 'requeue.me').length === 1
      return eventType === 'requeue.me' && isFirst ? NotificationResult.REQUEUE : undefined
    },
  }
  const options = { allowRequeue: true }
  await sides.start(
    getNotificationListener(await sides.bus('server'), [new Target({ topic: 'events' })], [endpoint], options),
  )
  const bus = await sides.bus('client')
  const notifier = new Notifier(bus, { driver: 'messagingv2', topics: ['events'], publisherId: 'p' })
  const notifications = payloadsOf(vector, 'client').map((payload) => notificationIn(bodyOf(payload)))
  for (const [index, { event_type: type, payload }] of notifications.entries()) {
    await notifier.info({}, String(type), payload)
    await taken.atLeast(index + 1)
  }
  await taken.atLeast(3)
  judge.same('what the endpoint is given', taken.items, ['plain.event', 'requeue.me', 'requeue.me'])
}

/** Anything that makes it connect. */
async function probe(sides: Sides, side: 'client' | 'server'): Promise<void> {
  await new Notifier(await sides.bus(side), { driver: 'messaging', topics: ['probe'] }).info({}, 'e', 1)
}
