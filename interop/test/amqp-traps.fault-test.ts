import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getRpcClient, MessagingTimeout, Target } from '@oslo-messaging/core'
import { afterAll, describe, expect, it } from 'vitest'

import { OurSide } from '../live/our-side.ts'
import { overridesOf, startPeer } from './support/amqp.ts'
import { openRpc, unique } from './support/ours.ts'

const python = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))
/** As Artemis comes: what has expired on arrival is not delivered. */
const strict = await skipOrFail(startBroker('artemis', { config: { 'test.min.expiry': '-1' } }))
afterAll(() => strict?.close())

describe.skipIf(python === undefined || strict === undefined)(
  'Python 14.9.3 and ours on an Artemis that takes expiry times at their word',
  () => {
    it("Python's calls vanish, for they expired in 1970; its casts and our calls do not", async () => {
      const url = strict?.url ?? ''
      const topic = unique('expiry')
      await using us = new OurSide(url, overridesOf('legacy'))
      const server = await us.serve({ topic, server: 'one' })
      await using client = await startPeer('rpc_client', url, 'legacy', ['--timeout', '3'])
      client.send({ id: 1, method: 'echo', args: { value: 'from Python' }, target: { topic } })
      await expect(client.answer(1)).resolves.toMatchObject({ event: 'error', type: 'MessagingTimeout' })
      client.send({ id: 2, op: 'cast', method: 'echo', args: { value: 'cast' }, target: { topic } })
      await server.requests.atLeast(1, ({ args }) => args['value'] === 'cast')
      const ours = await us.client({ target: { topic }, timeoutMs: 10_000 })
      expect((await ours.call('echo', { value: 'from Node' })).value).toEqual({ value: 'from Node' })
      expect(server.requests.items.map(({ args }) => args['value'])).toEqual(['cast', 'from Node'])
      await client.stop()
      await server.stop()
    })
  },
)

const artemis = await skipOrFail(startBroker('artemis'))
afterAll(() => artemis?.close())

describe.skipIf(python === undefined || artemis === undefined)('Python 14.9.3 and ours on Artemis', () => {
  it('meet when both put the virtual host into addresses, and keep two virtual hosts apart', async () => {
    const topic = unique('vhost')
    const [here, there] = [unique('here'), unique('there')].map((vhost) => artemis?.urlFor({ vhost }) ?? '')
    await using transport = await openRpc(here ?? '', {}, overridesOf('routable'))
    await using elsewhere = await openRpc(there ?? '', {}, overridesOf('routable'))
    await using server = await startPeer('rpc_server', here ?? '', 'routable', ['--topic', topic])
    const client = getRpcClient(transport, new Target({ topic }), { timeoutMs: 10_000 })
    await expect(client.call({}, 'ping')).resolves.toBe('pong')
    await server.next('request', { method: 'ping' })
    const stranger = getRpcClient(elsewhere, new Target({ topic }), { timeoutMs: 1000 })
    await expect(stranger.call({}, 'ping')).rejects.toBeInstanceOf(MessagingTimeout)
    expect(server.untaken('request')).toEqual([])
    await server.stop()
  })

  it('meet when Python logs in with its password, which it does only when told to', async () => {
    const topic = unique('plain')
    const url = artemis?.url ?? ''
    await using transport = await openRpc(url, {}, overridesOf('dynamic'))
    const args = ['--topic', topic, '--set', 'oslo_messaging_amqp.sasl_mechanisms=PLAIN']
    await using server = await startPeer('rpc_server', url, 'dynamic', args)
    const client = getRpcClient(transport, new Target({ topic }), { timeoutMs: 10_000 })
    await expect(client.call({}, 'ping')).resolves.toBe('pong')
    await server.stop()
  })
})
