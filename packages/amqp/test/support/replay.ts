import {
  Deadline,
  type Driver,
  type IncomingRequest,
  type OutgoingNotification,
  Target,
} from '@oslo-messaging/core/driver'
import type { AmqpOptions } from '../../src/config.ts'
import { openDriver } from './open-driver.ts'
import { startPeer } from './peer.ts'
import { openTap } from './tap.ts'
import { sentBy, type TargetFacts, type Vector } from './vectors.ts'
import { factsOf, ours, type WireFacts } from './wire-facts.ts'

/** What our client and our server sent when they did what Python's did. */
export interface Replayed {
  readonly client: WireFacts
  readonly server: WireFacts
}

interface Sides {
  readonly client: Driver
  readonly server: Driver
}

const soon = (): Deadline => Deadline.after(10_000)
const targetOf = ({ topic, server = null, exchange = null, fanout = false }: TargetFacts): Target =>
  new Target({ topic, server, exchange, fanout })

/** Has our driver do on an in-process peer what the vector says, and reads what it puts on the wire. */
export async function replay(vector: Vector): Promise<Replayed> {
  const product = vector.id.includes('other-bus') ? { product: 'another-bus' } : {}
  const users = vector.id.includes('sasl') ? { users: { guest: 'guest' } } : {}
  const peer = await startPeer({ ...product, ...users })
  const [clientTap, serverTap] = [await openTap(peer.port), await openTap(peer.port)]
  const options = optionsOf(vector)
  const rest = (vector.api.url ?? 'amqp://127.0.0.1:<port>/').replace('amqp://', '')
  const urlOf = (port: number): string => `amqp://${rest.replace('<port>', String(port))}`
  const client = await openDriver(urlOf(clientTap.port), options)
  const server = await openDriver(urlOf(serverTap.port), options)
  try {
    await play(vector, { client, server })
  } finally {
    await Promise.all([client.close(), server.close()])
    await Promise.all([clientTap.close(), serverTap.close()])
    await peer.close()
  }
  return { client: factsOf(ours(clientTap.frames)), server: factsOf(ours(serverTap.frames)) }
}

function optionsOf({ options }: Vector): Partial<AmqpOptions> {
  const given = Object.entries(options).map(([name, value]) => [name.replace(/^.*\./, ''), value])
  // Python announces no idle timeout unless told; this driver does.
  return { idle_timeout: 0, ...Object.fromEntries(given) }
}

async function play(vector: Vector, sides: Sides): Promise<void> {
  const { call } = vector.api
  if (call.startsWith('RPCClient.')) return await rpc(vector, sides)
  if (call.startsWith('Notifier.')) return await notify(vector, sides.client)
  switch (call) {
    case 'RPCServer.start':
      await serve(vector, sides.server)
      return await credited()
    case 'get_notification_listener.start':
      await listen(vector, sides.server)
      return await credited()
    case 'listener endpoint':
      return await consume(vector, sides)
    case 'connect':
      await Promise.all([probe(sides.client), probe(sides.server)])
      return
    case 'Transport.cleanup':
      return await rpc(vector, sides)
    default:
      throw new Error(`${vector.id}: no way to do ${call}`)
  }
}

/** Credit follows the links in the next turn. */
const credited = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Requests of Python's client, as our core would hand them to the driver. */
interface SentRequest {
  readonly request: { readonly method: string; readonly args: Readonly<Record<string, unknown>> }
  readonly context: Readonly<Record<string, unknown>>
}
type Answer = { readonly response: unknown } | { readonly failure: string } | 'no body'

export const bodiesOf = (vector: Vector, peer: 'client' | 'server'): readonly unknown[] =>
  sentBy(vector, peer).flatMap(({ message }) =>
    message === undefined ? [] : [(message as { readonly body: unknown }).body],
  )

async function rpc(vector: Vector, { client, server }: Sides): Promise<void> {
  const { target, call, client_options: options = {} } = vector.api
  const [sent = { request: { method: 'text', args: {} }, context: {} }] = bodiesOf(vector, 'client') as SentRequest[]
  const { handled } = await serve(vector, server)
  const timeoutMs = (options.timeout ?? 60) * 1000
  const waitForReply = call !== 'RPCClient.cast'
  await client.send(
    targetOf(target ?? { topic: 'demo' }),
    { context: sent.context, message: sent.request },
    {
      waitForReply,
      deadline: soon(),
      expiresInMs: waitForReply ? timeoutMs : null,
      callMonitorTimeoutMs: options.call_monitor_timeout === undefined ? null : options.call_monitor_timeout * 1000,
      retries: null,
      atLeastOnce: false,
    },
  )
  await handled
}

/** Serves, and answers with what Python's server answered. `handled` resolves when the first request has its
 *  answers. */
async function serve(vector: Vector, server: Driver): Promise<{ readonly handled: Promise<void> }> {
  const answers = (
    vector.api.call === 'Transport.cleanup' ? [{ response: 'x' }] : bodiesOf(vector, 'server')
  ) as Answer[]
  let onHandled = (): void => {}
  const handled = new Promise<void>((resolve) => {
    onHandled = resolve
  })
  const answer = async (request: IncomingRequest): Promise<void> => {
    request.acknowledge()
    for (const each of answers) {
      if (each === 'no body') await request.heartbeat()
      else if ('failure' in each) await request.reply({ result: null, failure: each.failure })
      else await request.reply({ result: each.response, failure: null })
    }
    onHandled()
  }
  await server.listen(targetOf(vector.api.server_target ?? { topic: 'demo', server: 'node1' }), {
    deadline: soon(),
    prefetch: 100,
    onMessage: (request) => void answer(request),
  })
  return { handled }
}

function outgoing(body: unknown): { readonly version: '1.0' | '2.0'; readonly notification: OutgoingNotification } {
  const { request, context } = body as { readonly request: Readonly<Record<string, unknown>>; readonly context: object }
  const inner = request['oslo.message'] as { readonly 'text of': unknown } | undefined
  const message = (inner === undefined ? request : inner['text of']) as OutgoingNotification['message']
  return { version: inner === undefined ? '1.0' : '2.0', notification: { message, context: { ...context } } }
}

async function notify(vector: Vector, client: Driver): Promise<void> {
  const [body] = bodiesOf(vector, 'client')
  const { version, notification } = outgoing(body)
  const [topic = ''] = vector.api.topics ?? []
  const priority = vector.api.call.replace('Notifier.', '')
  const target = new Target({ topic: `${topic}.${priority}` })
  await client.sendNotification(target, notification, { version, deadline: soon(), retries: 0 })
}

async function listen(vector: Vector, server: Driver): Promise<void> {
  const { targets = [], endpoint_methods: priorities = [] } = vector.api
  const sources = targets.flatMap((target) => priorities.map((priority) => ({ target: targetOf(target), priority })))
  const rest = { deadline: soon(), prefetch: 100, pool: null, allowRequeue: false, onMessage: () => {} }
  await server.listenForNotifications(sources, rest)
}

async function consume(vector: Vector, { client, server }: Sides): Promise<void> {
  let accepted = 0
  let requeued = 0
  await new Promise<void>((resolve, reject) => {
    const listening = server.listenForNotifications([{ target: new Target({ topic: 'events' }), priority: 'info' }], {
      deadline: soon(),
      prefetch: 100,
      pool: null,
      allowRequeue: true,
      onMessage(incoming) {
        if (incoming.message['event_type'] === 'requeue.me' && requeued === 0) {
          requeued += 1
          incoming.requeue()
          return
        }
        incoming.acknowledge()
        accepted += 1
        if (accepted === 2) resolve()
      },
    })
    const sendAll = async (): Promise<void> => {
      await listening
      for (const body of bodiesOf(vector, 'client')) {
        const { version, notification } = outgoing(body)
        const target = new Target({ topic: 'events.info' })
        await client.sendNotification(target, notification, { version, deadline: soon(), retries: 0 })
      }
    }
    sendAll().catch(reject)
  })
}

/** Anything that makes it connect. */
async function probe(driver: Driver): Promise<void> {
  const message = { message_id: 'm', publisher_id: 'p', event_type: 'e', priority: 'INFO', payload: 1, timestamp: 't' }
  const options = { version: '2.0', deadline: soon(), retries: 0 } as const
  await driver.sendNotification(new Target({ topic: 'probe.info' }), { context: {}, message }, options)
}
