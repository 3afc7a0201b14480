import { PRIORITIES } from '@oslo-messaging/core'
import { expect } from 'vitest'

import { type NotifyFeature, type NotifyScene, notify } from './feature.ts'

const PAYLOAD = {
  text: 'ü 😀 \u2028 \u0000 \ud800',
  list: [1, null, { deep: true }],
  float: 1.5,
  big: 9007199254740993n,
  negative: -(2n ** 70n),
}

/** Sends it and resolves to it as it arrived. */
async function arrival(scene: NotifyScene, payload: unknown): Promise<unknown> {
  const topic = await scene.topic('payload')
  const [listener, notifier] = await Promise.all([
    scene.listen({ topics: [topic], priorities: ['info'] }),
    scene.notifier({ topics: [topic] }),
  ])
  await notifier.notify('info', 'payload', payload)
  const [got] = await listener.notifications.atLeast(1, undefined, 30_000)
  await listener.stop()
  return got?.payload
}

const inFormat = (driver: 'messaging' | 'messagingv2', format: string): NotifyFeature =>
  notify(`seven priorities, format ${format}`, async (scene) => {
    const topic = await scene.topic('priorities')
    const [listener, notifier] = await Promise.all([
      scene.listen({ topics: [topic] }),
      scene.notifier({ topics: [topic], driver, publisherId: 'host.1' }),
    ])
    for (const priority of PRIORITIES) await notifier.notify(priority, `demo.${priority}`, { priority })
    const got = await listener.notifications.atLeast(PRIORITIES.length, undefined, 30_000)
    expect(got.map(({ priority }) => priority).toSorted()).toEqual([...PRIORITIES].toSorted())
    for (const { priority, eventType, payload, publisherId, metadata } of got) {
      expect({ eventType, payload, publisherId }).toEqual({
        eventType: `demo.${priority}`,
        payload: { priority },
        publisherId: 'host.1',
      })
      expect(metadata.message_id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      expect(metadata.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?$/)
    }
    expect(new Set(got.map(({ metadata }) => metadata.message_id)).size).toBe(PRIORITIES.length)
    await listener.stop()
  })

export const contentFeatures: readonly NotifyFeature[] = [
  inFormat('messaging', '1.0'),
  inFormat('messagingv2', '2.0'),
  notify('payload: unicode and numbers beyond 2^53', async (scene) => {
    expect(await arrival(scene, PAYLOAD)).toEqual(PAYLOAD)
  }),
  notify('payload: NaN and infinities', async (scene) => {
    expect(await arrival(scene, { values: [NaN, Infinity, -Infinity] })).toEqual({ values: [NaN, Infinity, -Infinity] })
  }),
  notify('payload: 800 kB', async (scene) => {
    const text = 'ab 0123456789 '.repeat(57_000)
    expect(await arrival(scene, text)).toBe(text)
  }),
  notify(
    'payload: 4 MiB',
    async (scene) => {
      const text = `${'x'.repeat(4 * 1024 * 1024)}😀`
      expect((await arrival(scene, text)) === text).toBe(true)
    },
    ['4 MiB messages'],
  ),
  notify(
    'context: redacted of tokens by itself',
    async (scene) => {
      const topic = await scene.topic('context')
      const listener = await scene.listen({ topics: [topic], priorities: ['info'] })
      const notifier = await scene.notifier({ topics: [topic] })
      const ctxt = { user_id: 'ü', project_id: 'p', request_id: 'req-1', roles: ['r'], auth_token: 'secret' }
      await notifier.notify('info', 'context', {}, { ctxt })
      const [got] = await listener.notifications.atLeast(1, undefined, 30_000)
      expect(got?.ctxt).toMatchObject({ user_id: 'ü', project_id: 'p', request_id: 'req-1', roles: ['r'] })
      expect(JSON.stringify(got)).not.toContain('secret')
      await listener.stop()
    },
    ['notification contexts'],
  ),
  notify('publisher: prepared anew for one notification', async (scene) => {
    const topic = await scene.topic('publisher')
    const listener = await scene.listen({ topics: [topic], priorities: ['info'] })
    const notifier = await scene.notifier({ topics: [topic], publisherId: 'first' })
    await notifier.notify('info', 'one', {})
    await notifier.notify('info', 'two', {}, { publisherId: 'second' })
    const got = await listener.notifications.atLeast(2, undefined, 30_000)
    const pairs = got.map(({ eventType, publisherId }) => `${eventType} of ${publisherId}`)
    expect(pairs.toSorted()).toEqual(['one of first', 'two of second'])
    await listener.stop()
  }),
]
