import {
  getNotificationListener,
  getRpcClient,
  getRpcServer,
  type MessageServer,
  type NotificationDelivery,
  type NotificationTransport,
  Notifier,
  type RPCCall,
  type RPCTransport,
  Target,
} from '@oslo-messaging/core'
import type { Recorder } from '../frame/recorder.ts'
import type { Source } from '../load/senders.ts'

const START_MS = 60_000

/** How messages travel to a place. */
export type Way = 'notification' | 'cast' | 'call' | 'fanout'

/** A topic under test on a broker with queues. Its place in the history is its name, and the priority behind it for
 *  notifications. */
export interface TestedTopic {
  readonly name: string
  readonly way: Way
  /** Listeners or servers; each is a member of one reader, but of a fanout each is a reader of its own. */
  readonly members: number
  readonly callers: number
  readonly perSec: number
  readonly timeoutMs: number
  /** A fanout over a stream, which the broker keeps, instead of queues that come and go. */
  readonly stream?: true
}

/** What transports a topic's messages and hands them over. */
export interface Buses {
  readonly rpc: RPCTransport
  readonly notifications: NotificationTransport
  /** Where fanouts go over streams. */
  readonly streams?: RPCTransport
}

/** The transport for the requests of a topic. */
function rpcOf({ stream }: TestedTopic, { rpc, streams }: Buses): RPCTransport {
  return stream === true && streams !== undefined ? streams : rpc
}

const PRIORITY = 'info'

export function placeOf({ name, way }: TestedTopic): string {
  return way === 'notification' ? `${name}.${PRIORITY}` : name
}

/** Names of the readers of a topic: who of them gets a message is the broker's choice, but each reader gets every
 *  one. */
export function readersOf(topic: TestedTopic): readonly string[] {
  if (topic.way !== 'fanout') return [topic.name]
  return Array.from({ length: topic.members }, (_, index) => `${topic.name}-${index + 1}`)
}

interface Numbered {
  readonly n: number
}

interface Methods {
  take(args: Numbered): Numbered
}

/** Sends the topic's messages through `buses`. */
export function sourceOf(topic: TestedTopic, buses: () => Buses): Source {
  const { name, way, callers, perSec, timeoutMs } = topic
  let send: ((n: number) => Promise<number | void>) | undefined
  const make = (): ((n: number) => Promise<number | void>) => {
    const { notifications } = buses()
    const rpc = rpcOf(topic, buses())
    if (way === 'notification') {
      const options = { publisherId: 'certify', driver: 'messagingv2', topics: [name], retry: -1, timeoutMs }
      const notifier = new Notifier(notifications, options)
      return (n) => notifier.info({ request_id: `req-${n}` }, 'certify.event', { n })
    }
    const target = new Target({ topic: name, fanout: way === 'fanout' })
    const client = getRpcClient<Methods>(rpc, target, { timeoutMs })
    if (way === 'call') return async (n) => (await client.call({}, 'take', { n })).n
    return (n) => client.cast({}, 'take', { n }, { timeoutMs })
  }
  return { place: placeOf(topic), callers, perSec, timeoutMs, send: (n) => (send ??= make())(n) }
}

/** Starts the listeners or servers of a topic. `onHandled` hears of each message that a reader handled. */
export async function startReaders(
  topic: TestedTopic,
  buses: Buses,
  recorder: Recorder,
  onHandled: () => void,
): Promise<readonly MessageServer[]> {
  const [shared = topic.name] = readersOf(topic)
  const servers = Array.from({ length: topic.members }, (_, index) => {
    const member = `${topic.name}-${index + 1}`
    const reader = topic.way === 'fanout' ? member : shared
    const handled = (n: number, redelivered: boolean): void => {
      onHandled()
      recorder.record({ kind: 'handled', message: n, reader, member, redelivered })
    }
    if (topic.way === 'notification') {
      const endpoint = {
        info: (_c: object, _p: unknown, _e: unknown, payload: unknown, _m: unknown, delivery: NotificationDelivery) =>
          handled((payload as Numbered).n, delivery.redelivered === true),
      }
      return getNotificationListener(buses.notifications, [new Target({ topic: topic.name })], [endpoint], {
        workers: 1,
      })
    }
    const endpoint = {
      take: (_context: object, { n }: Numbered, call: RPCCall): Numbered => {
        handled(n, call.redelivered === true)
        return { n }
      },
    }
    return getRpcServer(rpcOf(topic, buses), new Target({ topic: topic.name, server: member }), [endpoint])
  })
  await Promise.all(servers.map((server) => server.start({ timeoutMs: START_MS })))
  return servers
}
