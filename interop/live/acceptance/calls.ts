import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import { type RpcFeature, rpc } from '../features/feature.ts'
import { EMPTY, openGroup, valueOf } from './group.ts'

const increments = (server: { readonly requests: { readonly items: readonly { args: object }[] } }): unknown[] =>
  server.requests.items.map(({ args }) => (args as { increment?: number }).increment).filter((n) => n !== undefined)

export const callTests: readonly RpcFeature[] = [
  rpc('CallTestCase.test_specific_server', async (scene) => {
    const group = await openGroup(scene)
    const ask = async (method: string, args: object): Promise<unknown> =>
      valueOf(await group.client.call(method, { ...args }, group.to(1)))
    await ask('append', { text: 'open' })
    expect(await ask('append', { text: 'stack' })).toBe('openstack')
    await ask('add', { increment: 2 })
    expect(await ask('add', { increment: 10 })).toBe(12)
    expect(await ask('subtract', { increment: 3 })).toBe(9)
    expect(await group.states()).toEqual([EMPTY, { total: 9, text: 'openstack' }, EMPTY])
    await group.stop()
  }),
  rpc(
    'CallTestCase.test_server_in_group',
    async (scene) => {
      const group = await openGroup(scene)
      for (let increment = 0; increment < 14; increment++) valueOf(await group.client.call('add', { increment }))
      const seen = (): unknown[][] => group.servers.map(increments)
      await expect.poll(() => seen().flat().length, { timeout: 10_000 }).toBe(14)
      expect(
        seen()
          .flat()
          .toSorted((a, b) => Number(a) - Number(b)),
      ).toEqual(Array.from({ length: 14 }, (_, n) => n))
      for (const own of seen()) {
        expect(own.length).toBeGreaterThan(0)
        expect(own).toEqual(own.toSorted((a, b) => Number(a) - Number(b)))
      }
      await group.stop()
    },
    ['sharing by servers'],
  ),
  // The groups have topics of their own, as there: on RabbitMQ a topic is one queue, whatever the exchange.
  rpc('CallTestCase.test_different_exchanges', async (scene) => {
    const groups = await Promise.all([openGroup(scene), openGroup(scene, unique('a')), openGroup(scene, unique('b'))])
    const [first, second, third] = groups
    for (let n = 0; n < 14; n++) valueOf(await first.client.call('add', { increment: 1 }, first.to(1)))
    for (let n = 0; n < 12; n++) valueOf(await second.client.call('add', { increment: 1 }))
    const totals = await Promise.all(
      groups.map(async (group) => (await group.states()).map(({ total }) => Number(total))),
    )
    expect(totals[0]).toEqual([0, 14, 0])
    expect(totals[1]?.reduce((sum, total) => sum + total)).toBe(12)
    expect(totals[2]).toEqual([0, 0, 0])
    expect(third.servers.flatMap(increments)).toEqual([])
    await Promise.all(groups.map((group) => group.stop()))
  }),
  rpc('CallTestCase.test_timeout', async ({ caller }) => {
    const client = await caller.client({ target: { topic: unique('nobody') }, timeoutMs: 1000 })
    const { error, ms } = await client.call('ping')
    expect(error).toMatchObject({ type: 'MessagingTimeout' })
    expect(ms).toBeGreaterThan(950)
    expect(ms).toBeLessThan(4000)
  }),
  rpc('CallTestCase.test_exception', async (scene) => {
    const group = await openGroup(scene)
    valueOf(await group.client.call('add', { increment: 2 }, group.to(1)))
    const { error } = await group.client.call('subtract', { increment: 3 }, group.to(1))
    expect(error).toMatchObject({ type: 'ValueError', rebuilt: true })
    await group.stop()
  }),
  rpc('CallTestCase.test_timeout_with_concurrently_queues', async (scene) => {
    const group = await openGroup(scene)
    const slow = group.client.call('sleep', { seconds: 10 }, { ...group.to(0), timeoutMs: 5000 })
    const started = performance.now()
    for (let n = 0; n < 10; n++) {
      valueOf(await group.client.call('echo', { n }, group.to(0)))
      const next = (n + 1) * 1000 - (performance.now() - started)
      await new Promise((resolve) => setTimeout(resolve, next))
    }
    const { error, ms } = await slow
    expect(error).toMatchObject({ type: 'MessagingTimeout' })
    expect(ms).toBeGreaterThan(4900)
    expect(ms).toBeLessThan(8000)
    await group.stop()
  }),
  rpc(
    'CallTestCase.test_mandatory_call',
    async ({ caller }) => {
      const client = await caller.client({ target: { topic: unique('nobody'), server: 'nobody' }, timeoutMs: 1000 })
      expect((await client.call('ping')).error).toMatchObject({ type: 'MessagingTimeout' })
      const { error, ms } = await client.call('ping', {}, { atLeastOnce: true, retry: 0, timeoutMs: 20_000 })
      expect(error).toMatchObject({ type: 'MessageUndeliverable' })
      expect(ms).toBeLessThan(5000)
    },
    ['at-least-once'],
  ),
  rpc('CallTestCase.test_monitor_long_call', async (scene) => {
    const group = await openGroup(scene)
    const plain = await group.client.call('sleep', { seconds: 4 }, { ...group.to(1), timeoutMs: 1000 })
    expect(plain.error).toMatchObject({ type: 'MessagingTimeout' })
    const wish = { ...group.to(1), timeoutMs: 3_600_000, monitorMs: 4000 }
    expect(valueOf(await group.client.call('sleep', { seconds: 6, value: 'done' }, wish))).toBe('done')
    await group.stop()
  }),
  rpc('CallTestCase.test_endpoint_version_namespace', async ({ caller, callee }) => {
    const topic = unique('versions')
    const server = await callee.serve({ topic, server: 'one', endpoints: [{ namespace: 'Name1', version: '7.5' }] })
    const client = await caller.client({ target: { topic }, timeoutMs: 10_000 })
    const ask = async (namespace: string, version: string) =>
      client.call('ping', {}, { target: { namespace, version } })
    expect(valueOf(await ask('Name1', '7.5'))).toBe('pong')
    expect((await ask('Name1', '7.6')).error?.origin).toBe('UnsupportedVersion')
    expect((await ask('Name2', '7.5')).error?.origin).toBe('UnsupportedVersion')
    await server.stop()
  }),
  rpc('CallTestCase.test_bad_endpoint', async ({ callee }) => {
    expect(await callee.refusalOfBadEndpoint()).toBe('TypeError')
  }),
]

export const castTests: readonly RpcFeature[] = [
  rpc('CastTestCase.test_specific_server', async (scene) => {
    const group = await openGroup(scene)
    const cast = async (method: string, args: object) => group.client.cast(method, { ...args }, group.to(1))
    for (const text of ['open', 'stack']) await cast('append', { text })
    for (const increment of [2, 10]) await cast('add', { increment })
    await group.servers[1]?.requests.atLeast(4)
    const [first, second, third] = await group.states()
    expect([first, third]).toEqual([EMPTY, EMPTY])
    expect(second).toEqual({ total: 12, text: expect.stringMatching(/^(?:openstack|stackopen)$/) as string })
    await group.stop()
  }),
  rpc(
    'CastTestCase.test_server_in_group',
    async (scene) => {
      const group = await openGroup(scene)
      for (let n = 0; n < 20; n++) await group.client.cast('add', { increment: 1 })
      await expect.poll(() => group.servers.flatMap(increments).length, { timeout: 10_000 }).toBe(20)
      const totals = (await group.states()).map(({ total }) => Number(total))
      expect(totals.reduce((sum, total) => sum + total)).toBe(20)
      for (const total of totals) {
        expect(total).toBeGreaterThan(0)
        expect(total).toBeLessThan(20)
      }
      await group.stop()
    },
    ['sharing by servers'],
  ),
  rpc('CastTestCase.test_fanout', async (scene) => {
    const group = await openGroup(scene)
    const all = { target: { fanout: true } }
    for (const text of ['open', 'stack']) await group.client.cast('append', { text }, all)
    for (const increment of [2, 10]) await group.client.cast('add', { increment }, all)
    await Promise.all(group.servers.map((server) => server.requests.atLeast(4)))
    for (const state of await group.states())
      expect(state).toEqual({ total: 12, text: expect.stringMatching(/^(?:openstack|stackopen)$/) as string })
    await group.stop()
  }),
]
