import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import { type RpcFeature, rpc } from './feature.ts'

export const timeFeatures: readonly RpcFeature[] = [
  rpc('timeout: a slow method', async ({ client }) => {
    const { error, ms } = await client.call('sleep', { seconds: 4 }, { timeoutMs: 1000 })
    expect(error).toMatchObject({ type: 'MessagingTimeout', origin: undefined })
    expect(ms).toBeGreaterThan(950)
    expect(ms).toBeLessThan(3800)
  }),
  rpc('timeout: a topic nobody serves', async ({ caller }) => {
    const client = await caller.client({ target: { topic: unique('nobody') }, timeoutMs: 1000 })
    const { error, ms } = await client.call('ping')
    expect(error).toMatchObject({ type: 'MessagingTimeout', origin: undefined })
    expect(ms).toBeLessThan(10_000)
  }),
  rpc(
    'timeout: an expired request is not run when a server comes',
    async ({ caller, callee }) => {
      const topic = unique('late')
      const early = await callee.serve({ topic, server: 'one' })
      const client = await caller.client({ target: { topic }, timeoutMs: 20_000 })
      expect((await client.call('ping')).value).toBe('pong')
      await early.stop()
      const lost = await client.call('echo', { n: 1 }, { timeoutMs: 1000 })
      expect(lost.error).toMatchObject({ type: 'MessagingTimeout' })
      // The broker's clock began when the request came, on a busy machine some time after the caller's.
      const nobody = await caller.client({ target: { topic: unique('nobody') }, timeoutMs: 1500 })
      await nobody.call('ping')
      const late = await callee.serve({ topic, server: 'one' })
      expect((await client.call('echo', { n: 2 })).value).toEqual({ n: 2 })
      expect(late.requests.items.filter(({ method }) => method === 'echo').map(({ args }) => args)).toEqual([{ n: 2 }])
      await late.stop()
    },
    ['expiry'],
  ),
  rpc('heartbeats: a monitored call outlives the monitor timeout', async ({ client }) => {
    const wish = { monitorMs: 4000, timeoutMs: 30_000 }
    const [monitored, plain] = await Promise.all([
      client.call('sleep', { seconds: 6, value: 'done' }, wish),
      client.call('sleep', { seconds: 6, value: 'done' }, { timeoutMs: 1500 }),
    ])
    expect(monitored.value).toBe('done')
    expect(monitored.ms).toBeGreaterThan(5900)
    expect(plain.error).toMatchObject({ type: 'MessagingTimeout' })
  }),
  rpc('heartbeats: the timeout of the call stays the last word', async ({ client }) => {
    const { error, ms } = await client.call('sleep', { seconds: 9 }, { monitorMs: 4000, timeoutMs: 5000 })
    expect(error).toMatchObject({ type: 'MessagingTimeout' })
    expect(ms).toBeGreaterThan(4900)
    expect(ms).toBeLessThan(8900)
  }),
  rpc('heartbeats: a server that says nothing is given up', async ({ caller }) => {
    // Nobody serves it, so nobody beats.
    const client = await caller.client({ target: { topic: unique('silent') }, timeoutMs: 30_000 })
    const { error, ms } = await client.call('ping', {}, { monitorMs: 2000 })
    expect(error).toMatchObject({ type: 'MessagingTimeout' })
    expect(ms).toBeLessThan(20_000)
  }),
  rpc('heartbeats: errors of a monitored call arrive', async ({ client }) => {
    const wish = { monitorMs: 4000, timeoutMs: 30_000 }
    const { error } = await client.call('fail', { kind: 'ValueError', message: 'monitored' }, wish)
    expect(error).toMatchObject({ type: 'ValueError', rebuilt: true })
  }),
]
