import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import {
  getRpcClient,
  KeyError,
  MessageUndeliverable,
  MessagingTimeout,
  NoSuchMethod,
  RemoteError,
  type RPCClient,
  type RPCTransport,
  RPCVersionCapError,
  Target,
  UnsupportedVersion,
  ValueError,
} from '@oslo-messaging/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { DemoError, PickyError } from './support/demo-endpoint.ts'
import { openRpc, unique } from './support/ours.ts'
import { Peer } from './support/peer.ts'

const python = await skipOrFail(pythonWithLibrary())
const rabbit = await skipOrFail(sharedBroker('rabbit'))

const topic = unique('python')

describe.skipIf(python === undefined || rabbit === undefined)('our client of a Python server, over RabbitMQ', () => {
  let url: string
  let one: Peer
  let two: Peer
  let transport: RPCTransport
  let client: RPCClient

  beforeAll(async () => {
    url = (await rabbit?.vhost()) ?? ''
    const args = ['--topic', topic, '--version', '1.5', '--namespace', 'ns', '--namespace-version', '1.5']
    transport = await openRpc(url, { demo_errors: { DemoError, PickyError } })
    client = getRpcClient(transport, new Target({ topic }), { timeoutMs: 20_000 })
    ;[one, two] = await Promise.all([
      Peer.start('rpc_server', url, [...args, '--server', 'one']),
      Peer.start('rpc_server', url, [...args, '--server', 'two']),
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
    expect([one.untaken('request'), two.untaken('request')].flat().filter(({ method }) => method === 'append')).toEqual(
      [],
    )
  })

  it('turns version errors and missing methods into their own classes', async () => {
    const newer = await client
      .prepare({ version: '1.9' })
      .call({}, 'ping')
      .catch((error: unknown) => error)
    expect(newer).toBeInstanceOf(UnsupportedVersion)
    expect(newer).toMatchObject({ version: '1.9', method: 'ping', delivery: 'confirmed' })
    const nowhere = client.prepare({ namespace: 'nowhere' }).call({}, 'ping')
    await expect(nowhere).rejects.toBeInstanceOf(UnsupportedVersion)
    const missing = await client.call({}, 'no_such_thing').catch((error: unknown) => error)
    expect(missing).toBeInstanceOf(NoSuchMethod)
    expect(missing).toMatchObject({ method: 'no_such_thing' })
    await expect(client.call({}, '_private')).rejects.toBeInstanceOf(NoSuchMethod)
  })

  it('refuses a version above its cap before anything is sent', async () => {
    const capped = client.prepare({ version: '1.4', versionCap: '1.3' })
    expect(capped.canSendVersion()).toBe(false)
    expect(capped.canSendVersion('1.2')).toBe(true)
    await expect(capped.call({}, 'ping')).rejects.toBeInstanceOf(RPCVersionCapError)
  })

  it("rebuilds Python's own exceptions, expected or not", async () => {
    const error = await client
      .call({}, 'fail', { kind: 'ValueError', message: 'wrong ü' })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ValueError)
    expect(error).toMatchObject({
      message: expect.stringContaining('wrong ü') as string,
      cause: { excType: 'ValueError', module: 'builtins' },
    })
    await expect(client.call({}, 'fail', { kind: 'KeyError', message: 'key' })).rejects.toBeInstanceOf(KeyError)
    await expect(client.call({}, 'fail_expected', { message: 'no' })).rejects.toBeInstanceOf(ValueError)
  })

  it('rebuilds exceptions of allowed modules with their arguments', async () => {
    const error = await client
      .call({}, 'fail', { kind: 'DemoError', message: 'demo', code: 7 })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DemoError)
    expect(error).toMatchObject({ kwargs: { code: 7 } })
  })

  it('hands everything else over as RemoteError, with its traceback', async () => {
    const stranger = await openRpc(url)
    try {
      const call = getRpcClient(stranger, new Target({ topic })).call({}, 'fail', {
        kind: 'DemoError',
        message: 'demo',
        code: 7,
      })
      const error = await call.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject({ excType: 'DemoError', module: 'demo_errors', value: 'demo', kwargs: { code: 7 } })
      expect((error as RemoteError).traceback.join('')).toContain('rpc_server.py')
    } finally {
      await stranger.close()
    }
  })

  it('gives up in time', async () => {
    const started = performance.now()
    const call = client.prepare({ timeoutMs: 1000 }).call({}, 'sleep', { seconds: 3 })
    await expect(call).rejects.toBeInstanceOf(MessagingTimeout)
    const elapsed = performance.now() - started
    expect(elapsed).toBeGreaterThanOrEqual(990)
    expect(elapsed).toBeLessThan(2500)
  })

  it('waits longer than the monitor timeout for a server that shows signs of life', async () => {
    const monitored = client.prepare({ callMonitorTimeoutMs: 2000, timeoutMs: 30_000 })
    await expect(monitored.call({}, 'sleep', { seconds: 5, value: 'done' })).resolves.toBe('done')
  })

  it('with at-least-once learns that nobody serves a topic', async () => {
    const careful = client.prepare({ transportOptions: { atLeastOnce: true }, retry: 0 })
    await expect(careful.call({}, 'ping')).resolves.toBe('pong')
    await expect(careful.prepare({ topic: unique('nobody') }).cast({}, 'ping')).rejects.toBeInstanceOf(
      MessageUndeliverable,
    )
  })
})
