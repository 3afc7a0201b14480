import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getRpcServer, type MessageServer, type RPCTransport, Target } from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { MODES, overridesOf, startPeer } from './support/amqp.ts'
import { DemoEndpoint } from './support/demo-endpoint.ts'
import { openRpc, unique } from './support/ours.ts'
import type { Peer } from './support/peer.ts'
import { comparable, QUESTIONS } from './support/questions.ts'

const python = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))
const artemis = await skipOrFail(startBroker('artemis'))
afterAll(() => artemis?.close())

/** The driver for AMQP 1.0 has no such option. */
const ANSWERABLE = QUESTIONS.filter(([, command]) => command['at_least_once'] === undefined)

describe.skipIf(python === undefined || artemis === undefined).each(MODES)(
  'a Python 14.9.3 client of our server, over AMQP 1.0 with %s addresses',
  (mode) => {
    const OURS = unique('ours')
    const THEIRS = unique('theirs')
    const endpoint = new DemoEndpoint(null, '1.5')
    const spaced = new DemoEndpoint('ns', '1.5')
    const other = new DemoEndpoint(null, '1.5')
    const peers: Peer[] = []
    const servers: MessageServer[] = []
    let transport: RPCTransport
    let client: Peer
    let stranger: Peer
    let id = 0

    /** The answer to a command, without what differs between any two. */
    async function ask(peer: Peer, topic: string, command: Readonly<Record<string, unknown>>): Promise<unknown> {
      const mine = ++id
      const target = { topic, ...(command['target'] as object | undefined) }
      peer.send({ ...command, id: mine, target })
      return comparable(await peer.answer(mine, 30_000))
    }

    beforeAll(async () => {
      const url = artemis?.urlFor({ vhost: unique('vhost') }) ?? ''
      transport = await openRpc(url, {}, overridesOf(mode))
      servers.push(
        getRpcServer(transport, new Target({ topic: OURS, server: 'one' }), [endpoint, spaced]),
        getRpcServer(transport, new Target({ topic: OURS, server: 'two' }), [other, new DemoEndpoint('ns', '1.5')]),
      )
      const theirs = ['--topic', THEIRS, '--version', '1.5', '--namespace', 'ns', '--namespace-version', '1.5']
      const [started] = await Promise.all([
        Promise.all([
          startPeer('rpc_client', url, mode, ['--timeout', '20', '--allow-exmod', 'demo_errors']),
          startPeer('rpc_client', url, mode, ['--timeout', '20']),
          startPeer('rpc_server', url, mode, [...theirs, '--quiet']),
        ]),
        ...servers.map((server) => server.start()),
      ])
      peers.push(...started)
      ;[client, stranger] = started
    })

    afterAll(async () => {
      await Promise.all(peers.map((peer) => peer.stop()))
      await Promise.all(servers.map((server) => server.stop()))
      await transport.close()
    })

    it.concurrent.each(ANSWERABLE)('gets the same as from a Python server: %s', async (_, command) => {
      const [ours, theirs] = await Promise.all([ask(client, OURS, command), ask(client, THEIRS, command)])
      expect(ours).toEqual(theirs)
    })

    it('gets the same as from a Python server: an exception of a module that is not allowed', async () => {
      const command = { method: 'fail', args: { kind: 'DemoError', message: 'demo', code: 7 } }
      const [ours, theirs] = await Promise.all([ask(stranger, OURS, command), ask(stranger, THEIRS, command)])
      expect(ours).toMatchObject({ event: 'error', type: 'RemoteError', exc_type: 'DemoError' })
      expect(ours).toEqual(theirs)
    })

    it('reaches one server by name', async () => {
      const before = other.seen.items.length
      await ask(client, OURS, { method: 'ping', target: { server: 'two' } })
      expect(other.seen.items.length).toBe(before + 1)
    })

    it('gets the right answer to each of fifty calls at once', async () => {
      const values = Array.from({ length: 50 }, (_, index) => `value-${index}`)
      const answers = await Promise.all(values.map((value) => ask(client, OURS, { method: 'give', args: { value } })))
      expect(answers).toEqual(values.map((value) => ({ event: 'result', value })))
    })

    it('casts to one server, and fans out to all of them', async () => {
      const mark = unique('cast')
      const isMarked = ({ args }: { args: Readonly<Record<string, unknown>> }): boolean => args['mark'] === mark
      await ask(client, OURS, { op: 'cast', method: 'echo', args: { mark }, target: { server: 'one' } })
      await endpoint.seen.atLeast(1, isMarked)
      await ask(client, OURS, { op: 'cast', method: 'echo', args: { mark }, target: { fanout: true } })
      await endpoint.seen.atLeast(2, isMarked)
      await other.seen.atLeast(1, isMarked)
      expect([endpoint, other].map(({ seen }) => seen.items.filter(isMarked).length)).toEqual([2, 1])
    })
  },
)
