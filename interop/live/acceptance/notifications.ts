import type { Priority } from '@oslo-messaging/core'
import { expect } from 'vitest'

import { type NotifyFeature, notify } from '../features/feature.ts'
import { PythonSide } from '../python-side.ts'
import type { LiveListener } from '../side.ts'

const CATEGORIES = ['debug', 'audit', 'info', 'warn', 'error', 'critical'] as const
/** A dozen fields, as the library's handler sends them. */
const LOG_FIELDS =
  'name levelno levelname exc_info pathname lineno msg funcName thread processName process extra'.split(' ')
const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const
const LOGGING =
  "it tests a handler of Python's logging; here there are many loggers, and applications notify by a notifier"

const eventsOf = (listener: LiveListener): string[] =>
  listener.notifications.items.map(({ eventType }) => String(eventType))
const inHundreds = (count: number): number[] => [
  ...Array.from({ length: Math.floor(count / 100) }, () => 100),
  ...(count % 100 === 0 ? [] : [count % 100]),
]
const eight = (mark: string): string[] => Array.from({ length: 8 }, (_, n) => `${mark}${n}`)

export const notifyTests: readonly NotifyFeature[] = [
  notify('NotifyTestCase.test_simple', async (scene) => {
    const topic = await scene.topic('simple')
    const listener = await scene.listen({ topics: [topic], priorities: ['info'] })
    const notifier = await scene.notifier({ topics: [topic], publisherId: 'abc' })
    await notifier.notify('info', 'test', 'Hello World!')
    const [got] = await listener.notifications.atLeast(1, undefined, 30_000)
    expect(got).toMatchObject({ priority: 'info', eventType: 'test', payload: 'Hello World!', publisherId: 'abc' })
    await listener.stop()
  }),
  notify('NotifyTestCase.test_multiple_topics', async (scene) => {
    const topics = await Promise.all([scene.topic('a'), scene.topic('b')])
    const listener = await scene.listen({ topics, priorities: ['info'] })
    for (const [index, topic] of topics.entries()) {
      const notifier = await scene.notifier({ topics: [topic], publisherId: `pub-${index}` })
      await notifier.notify('info', `event-${index}`, `payload ${index}`)
    }
    const got = await listener.notifications.atLeast(2, undefined, 30_000)
    const facts = got.map(({ publisherId, eventType, payload }) => [publisherId, eventType, payload].map(String).join())
    expect(facts.toSorted()).toEqual(['pub-0,event-0,payload 0', 'pub-1,event-1,payload 1'])
    await listener.stop()
  }),
  notify(
    'NotifyTestCase.test_multiple_servers',
    async (scene) => {
      const topic = await scene.topic('servers')
      const options = { topics: [topic], priorities: ['info'] } as const
      const listeners = await Promise.all([scene.listen(options), scene.listen(options)])
      const notifier = await scene.notifier({ topics: [topic] })
      for (const name of eight('e')) await notifier.notify('info', name, {})
      await expect.poll(() => listeners.flatMap(eventsOf).length, { timeout: 15_000 }).toBe(8)
      expect(listeners.flatMap(eventsOf).toSorted()).toEqual(eight('e'))
      for (const listener of listeners) {
        const events = eventsOf(listener)
        expect(events.length).toBeGreaterThan(0)
        // Python's threads may tell us of two in another order than they took them.
        if (scene.listener.kind === 'ours') expect(events).toEqual(events.toSorted())
      }
      await Promise.all(listeners.map((listener) => listener.stop()))
    },
    ['sharing by listeners'],
  ),
  notify('NotifyTestCase.test_independent_topics', async (scene) => {
    const topics = await Promise.all([scene.topic('one'), scene.topic('two')])
    const listeners = await Promise.all(topics.map((topic) => scene.listen({ topics: [topic], priorities: ['info'] })))
    for (const [index, topic] of topics.entries()) {
      const notifier = await scene.notifier({ topics: [topic] })
      for (const name of eight(`topic${index} event`)) await notifier.notify('info', name, {})
    }
    await Promise.all(listeners.map((listener) => listener.notifications.atLeast(8, undefined, 30_000)))
    expect(listeners.map((listener) => eventsOf(listener).toSorted())).toEqual([
      eight('topic0 event'),
      eight('topic1 event'),
    ])
    await Promise.all(listeners.map((listener) => listener.stop()))
  }),
  notify('NotifyTestCase.test_all_categories', async (scene) => {
    const topic = await scene.topic('categories')
    const listener = await scene.listen({ topics: [topic] })
    const notifier = await scene.notifier({ topics: [topic] })
    for (const category of CATEGORIES) await notifier.notify(category, `type ${category}`, category)
    const got = await listener.notifications.atLeast(CATEGORIES.length, undefined, 30_000)
    const facts = got.map(({ priority, eventType, payload }) => `${priority}, ${eventType}, ${String(payload)}`)
    expect(facts.toSorted()).toEqual(CATEGORIES.map((name) => `${name}, type ${name}, ${name}`).toSorted())
    await listener.stop()
  }),
  notify('NotifyTestCase.test_simple_batch', async (scene) => {
    const topic = await scene.topic('batch')
    const options = { topics: [topic], priorities: ['info'], batchSize: 100, batchTimeoutMs: 5000 } as const
    const listener = await scene.listen(options)
    const notifier = await scene.notifier({ topics: [topic] })
    await Promise.all(Array.from({ length: 205 }, (_, n) => notifier.notify('info', `event${n}`, { n })))
    const sizes = (): number[] => listener.batches.items.map(({ messages }) => messages.length)
    await expect.poll(() => sizes().reduce((sum, size) => sum + size, 0), { timeout: 30_000 }).toBe(205)
    // The time of a Python batch runs from when it began to wait, with nothing in hand yet, and may end while the first
    // hundred come in; ours runs from the first one.
    const first = scene.listener.kind === 'ours' ? 100 : Math.min(sizes()[0] ?? 0, 100)
    expect(sizes()).toEqual([first, ...inHundreds(205 - first)])
    await listener.stop()
  }),
  // The row of the matrix with that option does the rest.
  notify('NotifyTestCase.test_compression', async (scene) => {
    const topic = await scene.topic('compressed')
    const listener = await scene.listen({ topics: [topic], priorities: ['info'] })
    const notifier = await scene.notifier({ topics: [topic], publisherId: 'abc' })
    await notifier.notify('info', 'test', 'Hello World! '.repeat(1000))
    const [got] = await listener.notifications.atLeast(1, undefined, 30_000)
    expect(got).toMatchObject({ eventType: 'test', payload: 'Hello World! '.repeat(1000), publisherId: 'abc' })
    await listener.stop()
  }),
  {
    ...notify('LoggingNotificationHandler.test_logging', async (scene) => {
      if (!(scene.teller instanceof PythonSide)) throw new Error('only Python has this handler')
      for (const driver of ['messaging', 'messagingv2']) {
        const topic = await scene.topic('logging')
        const listener = await scene.listen({ topics: [topic] })
        await scene.teller.do('log', { topic, driver, levels: LEVELS, publisher_id: 'logger' })
        const got = await listener.notifications.atLeast(LEVELS.length, undefined, 30_000)
        const priorities = LEVELS.map((level): Priority => (level === 'warning' ? 'warn' : level))
        expect(got.map(({ priority }) => priority).toSorted()).toEqual(priorities.toSorted())
        for (const { eventType, publisherId, payload } of got) {
          expect([eventType, publisherId]).toEqual(['logrecord', 'logger'])
          expect(Object.keys(payload as object).toSorted()).toEqual(LOG_FIELDS.toSorted())
        }
        await listener.stop()
      }
    }),
    pythonSendsOnly: LOGGING,
  },
]
