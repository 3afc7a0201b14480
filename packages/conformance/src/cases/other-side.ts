import assert from 'node:assert/strict'
import {
  getNotificationListener,
  getRpcClient,
  getRpcServer,
  Notifier,
  type NotificationEndpoint,
  Target,
} from '@oslo-messaging/core'
import { openNotificationTransport, openRpcTransport, start } from '../api.ts'
import type { ConformanceCase } from '../case.ts'
import type { Harness } from '../harness.ts'
import type { ConformancePeer } from '../peer.ts'

/** Every kind of value that JSON has, and what is easily lost on the way. */
const VALUES = {
  text: 'żółw 🐢 "quoted" \\ \u0000',
  empty: '',
  yes: true,
  nothing: null,
  whole: 9_007_199_254_740_991,
  broken: -0.5,
  list: [1, 'two', [null], {}],
  nested: { a: { b: { c: [] } } },
}
const PRIORITIES = ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'] as const
const TEXT = 'no such ümlaut'

async function peerOf(harness: Harness): Promise<ConformancePeer> {
  const peer = await harness.knobs.peer!()
  harness.note(`the other side is ${peer.name}`)
  return peer
}

/** What each peer and each of our servers here can do. */
function endpoint(onRequest: (method: string) => void = () => {}) {
  return {
    echo(_context: object, args: object): object {
      onRequest('echo')
      return args
    },
    fail(_context: object, { message }: { readonly message: string }): never {
      throw new RangeError(message)
    },
  }
}

/** Where requests of both go. */
function placeOf({ exchange }: ConformancePeer, topic: string, server?: string): Target {
  return new Target({ topic, ...(exchange !== undefined && { exchange }), ...(server !== undefined && { server }) })
}

async function serveWith(harness: Harness, place: Target, onRequest?: (method: string) => void): Promise<void> {
  const transport = await openRpcTransport(harness)
  await start(harness, getRpcServer(transport, place, [endpoint(onRequest)]))
}

/** The same messages between this driver and another implementation of oslo.messaging. */
export const otherSideCases: readonly ConformanceCase[] = [
  {
    name: 'other side - its server answers our call with every kind of value',
    level: 4,
    needs: ['rpc', 'knob peer'],
    async run(harness) {
      const peer = await peerOf(harness)
      const topic = harness.unique()
      harness.afterwards(await peer.serve(topic, 'theirs', () => {}))
      const client = getRpcClient(await openRpcTransport(harness), placeOf(peer, topic))
      assert.deepEqual(await client.call({}, 'echo', VALUES), VALUES, 'what its server answered')
    },
  },
  {
    name: 'other side - our server answers its call with every kind of value',
    level: 4,
    needs: ['rpc', 'knob peer'],
    async run(harness) {
      const peer = await peerOf(harness)
      const topic = harness.unique()
      await serveWith(harness, placeOf(peer, topic, 'ours'))
      assert.deepEqual(await peer.call(topic, 'echo', VALUES), VALUES, 'what our server answered')
    },
  },
  {
    name: 'other side - an error arrives with its text, both ways',
    level: 4,
    needs: ['rpc', 'knob peer'],
    async run(harness) {
      const peer = await peerOf(harness)
      const [theirs, ours] = [harness.unique(), harness.unique()]
      harness.afterwards(await peer.serve(theirs, 'theirs', () => {}))
      await serveWith(harness, placeOf(peer, ours, 'ours'))
      const client = getRpcClient(await openRpcTransport(harness), placeOf(peer, theirs))
      for (const [what, call] of [
        ['our call to its server', () => client.call({}, 'fail', { message: TEXT })],
        ['its call to our server', () => peer.call(ours, 'fail', { message: TEXT })],
      ] as const) {
        const error = await harness.rejection(call(), what)
        assert.ok(String(error).includes(TEXT), `${what} fails with the text of the error, not with ${String(error)}`)
      }
    },
  },
  {
    name: 'other side - a fanout cast of either reaches the servers of both',
    level: 4,
    needs: ['rpc', 'rpcFanout', 'knob peer'],
    async run(harness) {
      const peer = await peerOf(harness)
      const topic = harness.unique()
      const seen = { theirs: 0, ours: 0 }
      harness.afterwards(await peer.serve(topic, 'theirs', () => (seen.theirs += 1)))
      await serveWith(harness, placeOf(peer, topic, 'ours'), () => (seen.ours += 1))
      const client = getRpcClient(await openRpcTransport(harness), placeOf(peer, topic).with({ fanout: true }))
      await client.cast({}, 'echo', { from: 'us' })
      await harness.eventually(() => assert.deepEqual(seen, { theirs: 1, ours: 1 }, 'servers that our cast reached'))
      await peer.fanout(topic, 'echo', { from: 'it' })
      await harness.eventually(() => assert.deepEqual(seen, { theirs: 2, ours: 2 }, 'servers that its cast reached'))
    },
  },
  {
    name: 'other side - servers of both share the calls of a topic, each is answered once',
    level: 4,
    needs: ['rpc', 'knob peer'],
    async run(harness) {
      const peer = await peerOf(harness)
      const topic = harness.unique()
      const seen = { theirs: 0, ours: 0 }
      harness.afterwards(await peer.serve(topic, 'theirs', () => (seen.theirs += 1)))
      await serveWith(harness, placeOf(peer, topic, 'ours'), () => (seen.ours += 1))
      const client = getRpcClient(await openRpcTransport(harness), placeOf(peer, topic))
      const numbers = Array.from({ length: 20 }, (_, n) => n)
      const answers = await Promise.all(
        numbers.flatMap((n) => [client.call({}, 'echo', { n }), peer.call(topic, 'echo', { n: 100 + n })]),
      )
      assert.deepEqual(
        answers,
        numbers.flatMap((n) => [{ n }, { n: 100 + n }]),
        'each call has its own answer',
      )
      assert.equal(seen.theirs + seen.ours, 40, 'requests that the two servers had')
    },
  },
  {
    name: 'other side - notifications of every priority arrive, both ways',
    level: 4,
    needs: ['notifications', 'knob peer'],
    async run(harness) {
      const peer = await peerOf(harness)
      const [theirs, ours] = [harness.unique(), harness.unique()]
      const transport = await openNotificationTransport(harness)
      const atPeer = new Set<string>()
      const isWhole = (payload: unknown): string =>
        JSON.stringify(payload) === JSON.stringify(VALUES) ? '' : ' changed'
      harness.afterwards(
        await peer.listen(theirs, PRIORITIES, (priority, payload) => atPeer.add(`${priority}${isWhole(payload)}`)),
      )
      const here = new Set<string>()
      const heard = (priority: string): NotificationEndpoint['info'] => {
        return (_context, _publisher, _type, payload) => void here.add(`${priority}${isWhole(payload)}`)
      }
      const listening: NotificationEndpoint = Object.fromEntries(
        PRIORITIES.map((priority) => [priority, heard(priority)]),
      )
      await start(harness, getNotificationListener(transport, [new Target({ topic: ours })], [listening]))
      const notifier = new Notifier(transport, { driver: 'messagingv2', publisherId: 'ours', topics: [theirs] })
      for (const priority of PRIORITIES) {
        await notifier[priority]({}, 'conformance.event', VALUES)
        await peer.notify(ours, priority, VALUES)
      }
      const all = [...PRIORITIES].sort()
      await harness.eventually(() => assert.deepEqual([...atPeer].sort(), all, 'priorities that the other side heard'))
      await harness.eventually(() => assert.deepEqual([...here].sort(), all, 'priorities that we heard of it'))
    },
  },
]
