import { setTimeout as sleep } from 'node:timers/promises'

import { getRpcClient, getRpcServer, type RPCClient, type RPCTransport, Target } from '@oslo-messaging/core'

import type { Vector, VectorFrame } from '../../../packages/rabbit/test/support/vectors.ts'
import { EP, SpacedEP } from '../endpoint.ts'
import type { CallOutcome } from '../outcome.ts'
import type { RecordedFrame } from './recording-proxy.ts'
import type { Room } from './room.ts'

interface TargetFacts {
  readonly topic: string
  readonly server?: string | null
  readonly exchange?: string | null
  readonly fanout?: boolean
  readonly namespace?: string
  readonly version?: string
}

/** The `api` part of a vector of a call or cast. */
export interface RpcApi {
  readonly call: string
  readonly target?: TargetFacts
  readonly server_target?: TargetFacts
  readonly client_options?: {
    readonly timeout?: number
    readonly call_monitor_timeout?: number | null
    readonly transport_options?: { readonly at_least_once?: boolean }
  }
  readonly ctxt?: object
  readonly method?: string
  readonly args?: Readonly<Record<string, unknown>>
}

export const apiOf = ({ api }: Vector): RpcApi => api as RpcApi

/** Our server, as the captures had one. */
export async function serve(room: Room, vector: Vector): Promise<EP> {
  const endpoint = new EP()
  const transport = await room.rpc('server')
  const { topic, server = 'node1', exchange = null } = apiOf(vector).server_target ?? { topic: 'demo' }
  const started = getRpcServer(transport, new Target({ topic, server, exchange }), [endpoint, new SpacedEP()])
  room.closeLater({ close: () => started.stop() })
  await started.start()
  return endpoint
}

export function clientOf(transport: RPCTransport, vector: Vector): RPCClient {
  const { target = { topic: 'demo' }, client_options: options = {} } = apiOf(vector)
  const { timeout, call_monitor_timeout: monitor, transport_options: transportOptions } = options
  return getRpcClient(transport, new Target({ topic: target.topic }), {
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
    ...(monitor === undefined || monitor === null ? {} : { callMonitorTimeoutMs: monitor * 1000 }),
    ...(transportOptions?.at_least_once === true ? { transportOptions: { atLeastOnce: true } } : {}),
  })
}

/** Does what the vector says, with our client. */
export async function call(
  transport: RPCTransport,
  vector: Vector,
  args?: Readonly<Record<string, unknown>>,
): Promise<CallOutcome> {
  const api = apiOf(vector)
  const { topic: _topic, ...changes } = api.target ?? { topic: 'demo' }
  const prepared = clientOf(transport, vector).prepare(changes)
  const [ctxt, method, given] = [api.ctxt ?? {}, api.method ?? 'text', args ?? api.args ?? { text: 'hello' }]
  try {
    if (api.call === 'RPCClient.cast') {
      await prepared.cast(ctxt, method, given)
      return { result: null }
    }
    return { result: await prepared.call(ctxt, method, given) }
  } catch (error) {
    return { error }
  }
}

export const isPublish = ({ direction, method }: RecordedFrame): boolean =>
  direction === 'sent' && method === 'basic.publish'
export const isSettlement = ({ direction, method }: RecordedFrame): boolean =>
  direction === 'sent' && /^basic\.(ack|reject|nack)$/.test(method)
export const isDelivery = ({ direction, method }: RecordedFrame | VectorFrame): boolean =>
  direction === 'received' && method === 'basic.deliver'

/** Ours to ours, recorded on both sides. */
export async function converse(room: Room, vector: Vector): Promise<CallOutcome> {
  await serve(room, vector)
  const transport = await room.rpc('client')
  room.mark('server')
  const outcome = await call(transport, vector)
  const expected = vector.wire.filter(({ peer, direction }) => peer === 'server' && direction === 'sent')
  // A cast settles nothing at the client: the server's frames are waited for.
  const sent = ({ direction }: RecordedFrame): boolean => direction === 'sent'
  const settled = expected.filter(({ method }) => method === 'basic.ack').length
  const published = expected.filter(({ method }) => method === 'basic.publish').length
  await room.server.seen(published, isPublish)
  await settledBy(room, 'server', settled)
  const replies = vector.wire.filter((frame) => frame.peer === 'client' && isDelivery(frame)).length
  await settledBy(room, 'client', replies)
  await sleep(room.frames('server').filter(sent).length === 0 ? 0 : 5)
  return outcome
}

/** Waits until so many deliveries of a side are settled. */
export async function settledBy(room: Room, side: 'client' | 'server', count: number): Promise<void> {
  if (count === 0) return
  await room[side].seen(1, isSettlement)
  const deadline = performance.now() + 8000
  while (unsettled(room.frames(side)) > 0 && performance.now() < deadline) await sleep(5)
}

function unsettled(frames: readonly RecordedFrame[]): number {
  const open = new Set<string>()
  for (const { connection, channel, args, ...frame } of frames) {
    const tag = Number(args['delivery_tag'])
    if (isDelivery({ connection, channel, args, ...frame })) open.add(`${connection}/${channel}/${tag}`)
    else if (isSettlement({ connection, channel, args, ...frame })) {
      open.delete(`${connection}/${channel}/${tag}`)
      if (args['multiple'] === true)
        for (const each of open) {
          const [itsConnection, itsChannel, itsTag] = each.split('/').map(Number)
          if (itsConnection === connection && itsChannel === channel && (itsTag ?? 0) < tag) open.delete(each)
        }
    }
  }
  return open.size
}
