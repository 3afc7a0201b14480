import type { SharedRabbit } from '@oslo-messaging/brokers'
import { getRpcClient, Target } from '@oslo-messaging/core'

import type { Vector } from '../../../packages/rabbit/test/support/vectors.ts'
import type { Judge } from '../judge.ts'
import { compareDeclares, pythonFacts } from './compare.ts'
import { factsOf } from './facts.ts'
import type { RecordedFrame } from './recording-proxy.ts'
import { Room } from './room.ts'
import { apiOf, isDelivery, isPublish, serve } from './rpc.ts'
import { stepsOfOurs } from './steps.ts'

/** Declarations of a server. */
export async function executeServerDeclares(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  if ('precondition' in vector.api) await (await room.hand()).exchange('openstack', 'topic', false)
  await serve(room, vector)
  const [ours, python] = [factsOf(stepsOfOurs(room.frames('server'))), pythonFacts(vector, 'server')]
  compareDeclares(judge, vector, ours.declares, python.declares)
}

/** Declarations of a client: one call, then a fanout cast where the vector has one. */
export async function executeClientDeclares(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  await serve(room, vector)
  const transport = await room.rpc('client')
  const client = getRpcClient(transport, new Target({ topic: 'demo' }))
  await client.call({}, 'text', { text: 'warm' })
  if (apiOf(vector).call.includes('fanout')) {
    await client.prepare({ fanout: true }).cast({}, 'text', { text: 'warm' })
    await room.server.seen(2, isDelivery)
  }
  const [ours, python] = [factsOf(stepsOfOurs(room.frames('client'))), pythonFacts(vector, 'client')]
  compareDeclares(judge, vector, ours.declares, python.declares)
  if (vector.normalized.some(({ method }) => method === 'confirm.select'))
    judge.same('confirms are on', count(room.frames('client'), 'confirm.select') > 0, true)
}

/** What is sent when a server or a client stops. */
export async function executeStop(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  const side = apiOf(vector).call === 'Transport.cleanup' ? 'client' : 'server'
  await using room = await Room.open(rabbit, vector)
  await serve(room, vector)
  const client = await room.rpc('client')
  await getRpcClient(client, new Target({ topic: 'demo' })).call({}, 'text', { text: 'warm' })
  await room.server.seen(1, isPublish)
  room.mark('client')
  room.mark('server')
  await room.closeAll()
  const frames = room.frames(side)
  const ours = factsOf(stepsOfOurs(frames)).declares
  judge.same('deleted', ours, pythonFacts(vector, side).declares)
  const sent = vector.wire.filter(({ direction }) => direction === 'sent')
  const closes = sent.filter(({ method }) => method === 'connection.close').length
  judge.same('connections closed in order', count(frames, 'connection.close'), closes)
  if (sent.some(({ method }) => method === 'channel.close') && count(frames, 'channel.close') < closes)
    judge.excuse('channels-close-with-their-connection')
}

const count = (frames: readonly RecordedFrame[], wanted: string): number =>
  frames.filter(({ direction, method }) => direction === 'sent' && method === wanted).length

/** The handshake of a listening connection. */
export async function executeHandshake(judge: Judge, rabbit: SharedRabbit, vector: Vector): Promise<void> {
  await using room = await Room.open(rabbit, vector)
  await serve(room, vector)
  const [first] = room.frames('server')
  const sent = room
    .frames('server')
    .filter(({ connection, direction }) => connection === first?.connection && direction === 'sent')
  const ours = (method: string): Readonly<Record<string, unknown>> =>
    sent.find((frame) => frame.method === method)?.args ?? {}
  const python = (method: string): Readonly<Record<string, unknown>> =>
    vector.normalized.find((frame) => frame.direction === 'sent' && frame.method === method)?.args ?? {}
  const [start, wanted] = [ours('connection.start-ok'), python('connection.start-ok')]
  judge.same('protocol header', ours('protocol-header'), python('protocol-header'))
  judge.same('mechanism and locale', [start['mechanism'], start['locale']], [wanted['mechanism'], wanted['locale']])
  judge.same('login', loginOf(start), loginOf(wanted))
  const [mine, theirs] = [start, wanted].map((args) => args['client_properties'] as Readonly<Record<string, unknown>>)
  judge.same(
    'name of the connection',
    /^interop:\d+:[0-9a-f-]{36}$/.test(String(mine?.['connection_name'])) && theirs?.['connection_name'],
    '<program>:<pid>:<uuid-1>',
  )
  const enabled = (properties: typeof mine): string[] =>
    Object.entries(properties?.['capabilities'] ?? {}).flatMap(([name, on]) => (on === true ? [name] : []))
  judge.same(
    'capabilities Python names are named',
    enabled(theirs).filter((name) => !enabled(mine).includes(name)),
    [],
  )
  judge.excuse('it-says-what-it-is')
  const [tune, tuned] = [ours('connection.tune-ok'), python('connection.tune-ok')]
  judge.same('tune', [tune['channel_max'], tune['heartbeat']], [tuned['channel_max'], tuned['heartbeat']])
  judge.same('frame_max', tune['frame_max'], tuned['frame_max'])
  judge.same('virtual host', ours('connection.open')['virtual_host'], room.vhost)
  judge.same('channel', count(sent, 'channel.open') > 0, true)
}

/** AMQPLAIN is a table without its length: the fields may come in any order. */
function loginOf(args: Readonly<Record<string, unknown>>): readonly string[] {
  return [...String(args['response']).matchAll(/(LOGIN|PASSWORD)S\W{4}([a-z]+)/g)]
    .map(([, name, value]) => `${name} ${value}`)
    .toSorted()
}
