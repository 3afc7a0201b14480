import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  getRpcClient,
  KeyError,
  MessagingTimeout,
  NoSuchMethod,
  RemoteError,
  type RPCClient,
  type RPCTransport,
  Target,
  UnsupportedVersion,
  ValueError,
} from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { MODES, overridesOf, startPeer } from './support/amqp.ts'
import { DemoError, PickyError } from './support/demo-endpoint.ts'
import { openRpc, unique } from './support/ours.ts'
import type { Peer } from './support/peer.ts'

const python = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))
const artemis = await skipOrFail(startBroker('artemis'))
afterAll(() => artemis?.close())

// A virtual host in the URL becomes part of every address (pseudo_vhost): one test cannot see the messages of another.
describe.skipIf(python === undefined || artemis === undefined).each(MODES)(
  'our client of Python 14.9.3 servers, over AMQP 1.0 with %s addresses',
  (mode) => {
    const topic = unique('python')
    const url = artemis?.urlFor({ vhost: unique('vhost') }) ?? ''
    let one: Peer
    let two: Peer
    let transport: RPCTransport
    let client: RPCClient

    beforeAll(async () => {
      const args = ['--topic', topic, '--version', '1.5', '--namespace', 'ns', '--namespace-version', '1.5']
      transport = await openRpc(url, { demo_errors: { DemoError, PickyError } }, overridesOf(mode))
      client = getRpcClient(transport, new Target({ topic }), { timeoutMs: 20_000 })
      ;[one, two] = await Promise.all([
        startPeer('rpc_server', url, mode, [...args, '--server', 'one']),
        startPeer('rpc_server', url, mode, [...args, '--server', 'two']),
      ])
    })

    afterAll(async () => {
      await Promise.all([one.stop(), two.stop()])
      await transport.close()
    })

    it.each([
      ['null', null],
      ['false', false],
      ['text', 'ü 😀 \u2028'],
      ['numbers', [0, -1, 1.5, 2 ** 53 - 1, 1e300]],
      ['an empty list', []],
      ['a tree', { a: [{ b: { c: null } }], constructor: 'text' }],
      ['1 MB of text', 'ä'.repeat(500_000)],
    ])('gets back what it gave: %s', async (_, value) => {
      await expect(client.call({}, 'give', { value })).resolves.toEqual(value)
    })

    it('sends the request context along', async () => {
      const ctxt = { user: 'u', roles: ['r'], deep: { a: null } }
      await expect(client.call(ctxt, 'context')).resolves.toMatchObject(ctxt)
    })

    it('reaches one server by name, and a namespace', async () => {
      const mark = unique('named')
      await client.prepare({ server: 'two', namespace: 'ns', version: '1.2' }).call({}, 'echo', { mark })
      const request = await two.next('request', { method: 'echo', namespace: 'ns' })
      expect(request['args']).toEqual({ mark })
    })

    it('gets the right answer to each of fifty calls at once', async () => {
      const values = Array.from({ length: 50 }, (_, index) => `value-${index}`)
      await expect(Promise.all(values.map((value) => client.call({}, 'give', { value })))).resolves.toEqual(values)
    })

    it('casts to one server, and fans out to all of them', async () => {
      await client.prepare({ server: 'one' }).cast({ user: 'u' }, 'append', { text: 'once' })
      const cast = await one.next('request', { method: 'append' })
      expect(cast).toMatchObject({ args: { text: 'once' } })
      await client.prepare({ fanout: true }).cast({}, 'append', { text: 'all' })
      await Promise.all([one, two].map((peer) => peer.next('request', { method: 'append' })))
      const left = [one.untaken('request'), two.untaken('request')].flat()
      expect(left.filter(({ method }) => method === 'append')).toEqual([])
    })

    it('turns version errors and missing methods into their own classes', async () => {
      await expect(client.prepare({ version: '1.9' }).call({}, 'ping')).rejects.toBeInstanceOf(UnsupportedVersion)
      await expect(client.prepare({ namespace: 'nowhere' }).call({}, 'ping')).rejects.toBeInstanceOf(UnsupportedVersion)
      await expect(client.call({}, 'no_such_thing')).rejects.toBeInstanceOf(NoSuchMethod)
    })

    it("rebuilds Python's own exceptions, expected or not", async () => {
      const failure = client.call({}, 'fail', { kind: 'ValueError', message: 'wrong ü' })
      await expect(failure).rejects.toBeInstanceOf(ValueError)
      await expect(failure).rejects.toThrow('wrong ü')
      await expect(client.call({}, 'fail', { kind: 'KeyError', message: 'key' })).rejects.toBeInstanceOf(KeyError)
      await expect(client.call({}, 'fail_expected', { message: 'no' })).rejects.toBeInstanceOf(ValueError)
    })

    it('rebuilds exceptions of allowed modules, and hands the others over as RemoteError', async () => {
      const args = { kind: 'DemoError', message: 'demo', code: 7 }
      const failure = client.call({}, 'fail', args)
      await expect(failure).rejects.toBeInstanceOf(DemoError)
      await expect(failure).rejects.toMatchObject({ kwargs: { code: 7 } })
      await using stranger = await openRpc(url, {}, overridesOf(mode))
      const other = getRpcClient(stranger, new Target({ topic })).call({}, 'fail', args)
      await expect(other).rejects.toBeInstanceOf(RemoteError)
      await expect(other).rejects.toMatchObject({ excType: 'DemoError', module: 'demo_errors', kwargs: { code: 7 } })
    })

    it('gives up in time, to the millisecond and not to the next whole second', async () => {
      const started = performance.now()
      const call = client.prepare({ timeoutMs: 1000 }).call({}, 'sleep', { seconds: 3 })
      await expect(call).rejects.toBeInstanceOf(MessagingTimeout)
      const elapsed = performance.now() - started
      expect(elapsed).toBeGreaterThanOrEqual(990)
      expect(elapsed).toBeLessThan(1700)
    })

    it('waits longer than the monitor timeout for a server that shows signs of life', async () => {
      const monitored = client.prepare({ callMonitorTimeoutMs: 2000, timeoutMs: 30_000 })
      await expect(monitored.call({}, 'sleep', { seconds: 5, value: 'done' })).resolves.toBe('done')
    })
  },
)
