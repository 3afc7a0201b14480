import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import type { LiveServer, SeenRequest } from '../side.ts'
import { type RpcFeature, rpc } from './feature.ts'

const marked =
  (mark: string) =>
  ({ args }: SeenRequest): boolean =>
    args['mark'] === mark

const countOf = (server: LiveServer, mark: string): number => server.requests.items.filter(marked(mark)).length

/** Waits until so many marked requests were seen: a server may have answered before we are told what it saw. */
async function seenIn(servers: readonly LiveServer[], mark: string, count: number): Promise<readonly SeenRequest[]> {
  const seen = (): SeenRequest[] => servers.flatMap(({ requests }) => requests.items.filter(marked(mark)))
  await expect.poll(() => seen().length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count)
  expect(seen().length).toBe(count)
  return seen()
}

export const routingFeatures: readonly RpcFeature[] = [
  rpc('server: one by its name', async ({ client, one, two }) => {
    const names = ['one', 'two', 'two', 'one', 'two']
    const answers = await Promise.all(names.map((server) => client.call('whoami', {}, { target: { server } })))
    expect(answers.map(({ value }) => value)).toEqual(names.map((name) => (name === 'one' ? one.name : two.name)))
  }),
  rpc('server: servers of a topic share its calls, each is served once', async ({ client, one, two }) => {
    const mark = unique('shared')
    const servers = [one, two]
    let sent = 0
    // A broker may give a round to one server alone.
    while (sent < 400 && (sent === 0 || servers.some((server) => countOf(server, mark) === 0))) {
      const answers = await Promise.all(Array.from({ length: 40 }, () => client.call('echo', { mark })))
      expect(answers.filter(({ value }) => value === undefined)).toEqual([])
      sent += 40
      await seenIn(servers, mark, sent)
    }
    for (const server of servers) expect(countOf(server, mark)).toBeGreaterThan(0)
  }),
  rpc('server: answers what it has taken when it is stopped', async ({ caller, callee }) => {
    const topic = unique('stopped')
    const server = await callee.serve({ topic, server: 'one' })
    const client = await caller.client({ target: { topic }, timeoutMs: 20_000 })
    const call = client.call('sleep', { seconds: 1.5, value: 'done' })
    await server.requests.atLeast(1)
    await server.stop()
    expect((await call).value).toBe('done')
  }),
  rpc('cast: to the topic and to one server', async ({ client, one, two }) => {
    const mark = unique('cast')
    const outcome = await client.cast('echo', { mark, n: 1 }, { ctxt: { user_id: 'c' } })
    expect(outcome.error).toBeUndefined()
    await client.cast('echo', { mark, n: 2 }, { target: { server: 'two' } })
    await two.requests.atLeast(1, ({ args }) => args['mark'] === mark && args['n'] === 2)
    const seen = await seenIn([one, two], mark, 2)
    expect(seen.find(({ args }) => args['n'] === 1)?.ctxt).toMatchObject({ user_id: 'c' })
  }),
  rpc('fanout: a cast reaches every server once', async ({ client, one, two }) => {
    const mark = unique('fanout')
    // Who answers by name consumes: a Python server may not yet when it says that it has started, and a stream gives
    // newcomers only what is last.
    const pings = await Promise.all(['one', 'two'].map((server) => client.call('ping', {}, { target: { server } })))
    expect(pings.map(({ value }) => value)).toEqual(['pong', 'pong'])
    for (const n of [1, 2, 3]) await client.cast('echo', { mark, n }, { target: { fanout: true } })
    await Promise.all([one, two].map((server) => server.requests.atLeast(3, marked(mark))))
    // A call sent afterwards to each is behind whatever else there may be.
    await Promise.all(['one', 'two'].map((server) => client.call('ping', {}, { target: { server } })))
    const sorted = (server: LiveServer): string[] =>
      server.requests.items
        .filter(marked(mark))
        .map(({ args }) => String(args['n']))
        .toSorted()
    expect([sorted(one), sorted(two)]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
  }),
  rpc('namespace: only its endpoint answers', async ({ client, one, two }) => {
    const mark = unique('namespace')
    const target = { namespace: 'ns', version: '1.2' }
    expect((await client.call('echo', { mark }, { target })).value).toEqual({ mark })
    const seen = await seenIn([one, two], mark, 1)
    expect(seen.map(({ namespace }) => namespace)).toEqual(['ns'])
    const nowhere = await client.call('ping', {}, { target: { namespace: 'nowhere' } })
    expect(nowhere.error).toMatchObject({ origin: 'UnsupportedVersion' })
  }),
  rpc('version: compatible ones are served, others refused', async ({ client }) => {
    const ask = async (version: string, namespace?: string) =>
      client.call('ping', {}, { target: { version, ...(namespace === undefined ? {} : { namespace }) } })
    for (const version of ['1.0', '1.3', '1.5']) expect((await ask(version)).value).toBe('pong')
    for (const version of ['1.6', '2.0', '0.9']) {
      const { error } = await ask(version)
      expect(error).toMatchObject({ origin: 'UnsupportedVersion' })
      expect(error?.message).toBe(`Endpoint does not support RPC version ${version}. Attempted method: ping`)
    }
    expect((await ask('1.3', 'ns')).error).toMatchObject({ origin: 'UnsupportedVersion' })
  }),
  rpc('version: a cap is kept before anything is sent', async ({ client, one, two }) => {
    const mark = unique('capped')
    const capped = { target: { version: '1.4' }, versionCap: '1.3' }
    expect((await client.canSendVersion('1.3', '1.3')).value).toBe(true)
    expect((await client.canSendVersion('1.4', '1.3')).value).toBe(false)
    expect((await client.canSendVersion('2.0', '1.3')).value).toBe(false)
    expect((await client.call('echo', { mark }, capped)).error).toMatchObject({ type: 'RPCVersionCapError' })
    expect((await client.cast('echo', { mark }, capped)).error).toMatchObject({ type: 'RPCVersionCapError' })
    const within = await client.call('echo', { mark, n: 1 }, { ...capped, target: { version: '1.2' } })
    expect(within.value).toEqual({ mark, n: 1 })
    await seenIn([one, two], mark, 1)
  }),
  rpc('exchange: a topic of another exchange is another topic', async ({ caller, callee }) => {
    const [topic, exchange] = [unique('exchange'), unique('own')]
    const server = await callee.serve({ topic, server: 'one', exchange })
    const client = await caller.client({ target: { topic, exchange }, timeoutMs: 20_000 })
    expect((await client.call('whoami')).value).toBe(server.name)
    const mark = unique('stray')
    const stray = await client.call('echo', { mark }, { target: { exchange: unique('other') }, timeoutMs: 1500 })
    expect(stray.error).toMatchObject({ type: 'MessagingTimeout' })
    await client.cast('echo', { mark }, { target: { exchange: unique('other') } })
    expect((await client.call('whoami')).value).toBe(server.name)
    expect(countOf(server, mark)).toBe(0)
    await server.stop()
  }),
  rpc('access policies: legacy and explicit', async ({ caller, callee }) => {
    const topic = unique('policy')
    const servers = await Promise.all([
      callee.serve({ topic, server: 'legacy', policy: 'legacy' }),
      callee.serve({ topic, server: 'explicit', policy: 'explicit' }),
    ])
    const client = await caller.client({ target: { topic }, timeoutMs: 20_000 })
    const ask = async (server: string, method: string) => client.call(method, {}, { target: { server } })
    expect((await ask('legacy', '_private')).value).toBe('private')
    expect((await ask('legacy', 'not_exposed')).value).toBe('not exposed')
    expect((await ask('explicit', 'ping')).value).toBe('pong')
    expect((await ask('explicit', 'not_exposed')).error).toMatchObject({ origin: 'NoSuchMethod' })
    await Promise.all(servers.map((server) => server.stop()))
  }),
  rpc('ping: every server answers the ping of the library', async ({ client }) => {
    for (const server of ['one', 'two']) {
      const { value, error } = await client.call('oslo_rpc_server_ping', {}, { target: { server } })
      expect(error).toBeUndefined()
      expect(value).toBe('pong')
    }
  }),
  rpc(
    'at-least-once: a topic nobody serves is refused at once',
    async ({ caller, client }) => {
      expect((await client.call('ping', {}, { atLeastOnce: true })).value).toBe('pong')
      const lonely = await caller.client({ target: { topic: unique('nobody') }, timeoutMs: 20_000 })
      const options = { atLeastOnce: true, retry: 0 }
      const [call, cast] = await Promise.all([lonely.call('ping', {}, options), lonely.cast('ping', {}, options)])
      for (const { error, ms } of [call, cast]) {
        expect(error).toMatchObject({ type: 'MessageUndeliverable' })
        expect(ms).toBeLessThan(10_000)
      }
    },
    ['at-least-once'],
  ),
]
