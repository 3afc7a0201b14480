import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import type { LiveListener } from '../side.ts'
import { type NotifyFeature, type NotifyScene, notify } from './feature.ts'

const eventsOf = (listener: LiveListener): string[] =>
  listener.notifications.items.map(({ eventType }) => String(eventType))
const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `e${n}`)

/** Two pools, the first with so many listeners: each notification reaches each pool once. */
async function inPools(scene: NotifyScene, members: number): Promise<void> {
  const topic = await scene.topic('pools')
  const [shared, other] = [unique('pool-a'), unique('pool-b')]
  const join = (pool: string): Promise<LiveListener> => scene.listen({ topics: [topic], priorities: ['info'], pool })
  const [alone, ...together] = await Promise.all([join(other), ...Array.from({ length: members }, () => join(shared))])
  const notifier = await scene.notifier({ topics: [topic] })
  for (const name of names(20)) await notifier.notify('info', name, {})
  const seen = (): string[][] => [eventsOf(alone), together.flatMap(eventsOf)]
  const counts = (): string =>
    seen()
      .map(({ length }) => length)
      .join(' and ')
  await expect.poll(counts, { timeout: 30_000 }).toBe('20 and 20')
  for (const events of seen()) expect(events.toSorted()).toEqual(names(20).toSorted())
  await Promise.all([alone, ...together].map((listener) => listener.stop()))
}

export const deliveryFeatures: readonly NotifyFeature[] = [
  notify(
    'kept while nobody listens',
    async (scene) => {
      const topic = await scene.topic('kept')
      const notifier = await scene.notifier({ topics: [topic] })
      for (const name of names(5)) await notifier.notify('error', name, {})
      const listener = await scene.listen({ topics: [topic], priorities: ['error'] })
      await listener.notifications.atLeast(5, undefined, 30_000)
      expect(eventsOf(listener).toSorted()).toEqual(names(5))
      await listener.stop()
    },
    ['storage'],
  ),
  notify(
    'requeue: delivered again until it is handled',
    async (scene) => {
      const topic = await scene.topic('requeue')
      const options = { topics: [topic], priorities: ['info'], allowRequeue: true, requeueFirst: 2 } as const
      const [listener, notifier] = await Promise.all([scene.listen(options), scene.notifier({ topics: [topic] })])
      await notifier.notify('info', 'again', { n: 1 })
      const got = await listener.notifications.atLeast(3, undefined, 30_000)
      expect(new Set(got.map(({ metadata }) => metadata.message_id)).size).toBe(1)
      await notifier.notify('info', 'next', { n: 2 })
      await listener.notifications.atLeast(1, ({ eventType }) => eventType === 'next', 30_000)
      expect(eventsOf(listener)).toEqual(['again', 'again', 'again', 'next'])
      await listener.stop()
    },
    ['requeue'],
  ),
  notify('pools: each gets all', async (scene) => await inPools(scene, 1), ['pools']),
  notify('pools: listeners of one pool share', async (scene) => await inPools(scene, 2), ['pools', 'shared pools']),
  notify(
    'listeners without a pool share',
    async (scene) => {
      const topic = await scene.topic('shared')
      const options = { topics: [topic], priorities: ['info'] } as const
      const listeners = await Promise.all([scene.listen(options), scene.listen(options)])
      const notifier = await scene.notifier({ topics: [topic] })
      const seen = (): string[] => listeners.flatMap(eventsOf)
      const isShared = (): boolean => listeners.every((listener) => eventsOf(listener).length > 0)
      // A Python listener may say that it has started before the broker knows it.
      let sent = 0
      while (sent < 20 || (!isShared() && sent < 400)) {
        await notifier.notify('info', `e${sent}`, {})
        sent += 1
        if (sent >= 20) await expect.poll(() => seen().length, { timeout: 30_000 }).toBe(sent)
      }
      expect(seen().toSorted()).toEqual(names(sent).toSorted())
      expect(isShared()).toBe(true)
      await Promise.all(listeners.map((listener) => listener.stop()))
    },
    ['no pools'],
  ),
  notify('batches: full ones at once, the rest when its time is up', async (scene) => {
    const topic = await scene.topic('batches')
    const options = { topics: [topic], priorities: ['info'], batchSize: 10, batchTimeoutMs: 5000 } as const
    // The prefetch caps batches, in both libraries.
    const largest = Math.min(options.batchSize, scene.prefetch)
    const sent = names(largest * 2 + 1)
    const [listener, notifier] = await Promise.all([scene.listen(options), scene.notifier({ topics: [topic] })])
    for (const name of sent) await notifier.notify('info', name, {})
    const got = (): string[] =>
      listener.batches.items.flatMap(({ messages }) => messages.map(({ eventType }) => String(eventType)))
    await expect.poll(() => got().length, { timeout: 30_000 }).toBe(sent.length)
    expect(got().toSorted()).toEqual(sent.toSorted())
    const sizes = listener.batches.items.map(({ messages }) => messages.length)
    expect(Math.max(...sizes)).toBe(largest)
    await listener.stop()
  }),
  notify('filters: of publisher, event type, context, metadata and payload', async (scene) => {
    const topic = await scene.topic('filters')
    const filter = {
      publisher_id: '^compute\\.',
      event_type: 'instance\\.(create|delete)$',
      metadata: { timestamp: '^20' },
      payload: { state: '^act' },
    }
    const [listener, notifier] = await Promise.all([
      scene.listen({ topics: [topic], priorities: ['info'], filter }),
      scene.notifier({ topics: [topic], publisherId: 'compute.host1' }),
    ])
    const send = async (eventType: string, state: unknown, publisherId?: string): Promise<void> =>
      notifier.notify('info', eventType, { state }, publisherId === undefined ? {} : { publisherId })
    await send('instance.create', 'active')
    await send('instance.resize', 'active')
    await send('instance.create', 'error')
    await send('instance.create', 5)
    await send('instance.create', 'active', 'network.host1')
    await send('my.instance.delete', 'active')
    await send('instance.delete', 'activating')
    await listener.notifications.atLeast(2, undefined, 30_000)
    // Kafka keeps no order between partitions.
    expect(eventsOf(listener).toSorted()).toEqual(['instance.create', 'instance.delete'])
    await listener.stop()
  }),
  notify('topics: one listener of two, a notifier of two', async (scene) => {
    const topics = await Promise.all([scene.topic('first'), scene.topic('second')])
    const listener = await scene.listen({ topics, priorities: ['info'] })
    const [both, first] = await Promise.all([
      scene.notifier({ topics, publisherId: 'both' }),
      scene.notifier({ topics: topics.slice(0, 1), publisherId: 'first' }),
    ])
    await both.notify('info', 'both', {})
    await first.notify('info', 'first', {})
    const got = await listener.notifications.atLeast(3, undefined, 30_000)
    expect(got.map(({ eventType }) => String(eventType)).toSorted()).toEqual(['both', 'both', 'first'])
    const copies = got.filter(({ eventType }) => eventType === 'both').map(({ metadata }) => metadata.message_id)
    expect(new Set(copies).size).toBe(1)
    await listener.stop()
  }),
  notify('many: two hundred, none lost, none twice', async (scene) => {
    const topic = await scene.topic('many')
    const [listener, notifier] = await Promise.all([
      scene.listen({ topics: [topic], priorities: ['sample'] }),
      scene.notifier({ topics: [topic] }),
    ])
    await Promise.all(names(200).map((name) => notifier.notify('sample', name, { name })))
    await listener.notifications.atLeast(200, undefined, 30_000)
    await listener.stop()
    expect(eventsOf(listener).toSorted()).toEqual(names(200).toSorted())
  }),
]
