import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import {
  getBatchNotificationListener,
  getNotificationListener,
  type NotificationTransport,
  Notifier,
  PRIORITIES,
  type ReceivedNotification,
  Target,
} from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'

import { Inbox } from './support/inbox.ts'
import { openBus, unique } from './support/ours.ts'
import { Peer } from './support/peer.ts'
import { batchRecorder, type Received, recorder } from './support/recorder.ts'

const python = await skipOrFail(pythonWithLibrary())
const kafka = await skipOrFail(sharedBroker('kafka'))

const FORMATS = ['messaging', 'messagingv2'] as const

/** Our side, in a consumer group of its own. */
function openKafka(group: string): Promise<NotificationTransport> {
  return openBus(kafka?.url ?? '', { oslo_messaging_kafka: { consumer_group: group } })
}

const groupOf = (group: string): string[] => ['--set', `oslo_messaging_kafka.consumer_group=${group}`]

// A Python listener needs some six seconds: each test has its own, and they run side by side.
describe.skipIf(python === undefined || kafka === undefined).concurrent('notifications over Kafka', () => {
  const url = kafka?.url ?? ''

  /** Python listeners do not create topics, and do not see what was sent to one before they found it. */
  const topicFor = async (word: string): Promise<string> => {
    const topic = unique(word)
    await kafka?.createTopics(PRIORITIES.map((priority) => `${topic}.${priority}`))
    return topic
  }

  it('from Python to us: seven priorities in two formats', async () => {
    const topic = await topicFor('from-python')
    const inbox = new Inbox<Received>()
    const bus = await openKafka(topic)
    await using listener = getNotificationListener(bus, [new Target({ topic })], [recorder(inbox)])
    await listener.start()
    for (const driver of FORMATS) {
      await using notifier = await Peer.start('notifier', url, [
        '--topics',
        topic,
        '--driver',
        driver,
        '--publisher-id',
        'host.1',
      ])
      PRIORITIES.forEach((priority, id) => {
        notifier.send({
          id,
          priority,
          event_type: `${driver}.${priority}`,
          payload: { id, text: 'ü 😀' },
          ctxt: { user_id: 'u' },
          context_object: true,
        })
      })
      await notifier.stop()
    }
    const got = await inbox.atLeast(14)
    const expected = FORMATS.flatMap((driver) => PRIORITIES.map((priority) => `${driver}.${priority}`))
    expect(got.map(({ eventType }) => eventType)).toEqual(expect.arrayContaining(expected))
    for (const { eventType, priority, publisherId, payload, ctxt } of got) {
      expect({ eventType, publisherId }).toEqual({
        eventType: expect.stringMatching(new RegExp(`\\.${priority}$`)) as string,
        publisherId: 'host.1',
      })
      expect(payload).toMatchObject({ text: 'ü 😀' })
      expect(ctxt).toMatchObject({ user_id: 'u' })
    }
    await bus.close()
  })

  it('from Python to us: every pool gets all, listeners without one share', async () => {
    const topic = await topicFor('pools')
    const inboxes = Array.from({ length: 4 }, () => new Inbox<Received>())
    const bus = await openKafka(topic)
    const pools = [null, null, `${topic}-a`, `${topic}-b`]
    const listeners = inboxes.map((inbox, index) =>
      getNotificationListener(bus, [new Target({ topic })], [recorder(inbox, ['info'])], {
        pool: pools[index] ?? null,
      }),
    )
    await Promise.all(listeners.map((listener) => listener.start()))
    await using notifier = await Peer.start('notifier', url, ['--topics', topic])
    for (let id = 0; id < 20; id++) notifier.send({ id, event_type: `e${id}`, payload: { id } })
    await notifier.stop()
    const counts = (): (number | undefined)[] => {
      const [one = 0, other = 0, ...pooled] = inboxes.map(({ items }) => items.length)
      return [one + other, ...pooled]
    }
    await expect.poll(counts, { timeout: 15_000 }).toEqual([20, 20, 20])
    await bus.close()
  })

  it('from Python to us: in batches', async () => {
    const topic = await topicFor('batches')
    const inbox = new Inbox<readonly ReceivedNotification[]>()
    const bus = await openKafka(topic)
    await using listener = getBatchNotificationListener(bus, [new Target({ topic })], [batchRecorder(inbox)], {
      batchSize: 10,
      batchTimeoutMs: 1000,
    })
    await listener.start()
    await using notifier = await Peer.start('notifier', url, ['--topics', topic])
    for (let id = 0; id < 25; id++) notifier.send({ id, event_type: `e${id}`, payload: { id } })
    await notifier.stop()
    await expect.poll(() => inbox.items.flat().length, { timeout: 15_000 }).toBe(25)
    expect(Math.max(...inbox.items.map((batch) => batch.length))).toBe(10)
    expect(
      inbox.items
        .flat()
        .map(({ payload }) => (payload as { id: number }).id)
        .sort((x, y) => x - y),
    ).toEqual(Array.from({ length: 25 }, (_, id) => id))
    await bus.close()
  })

  it('from us to Python: seven priorities in two formats', async () => {
    const topic = await topicFor('to-python')
    await using listener = await Peer.start('listener', url, ['--topics', topic, ...groupOf(topic)])
    const bus = await openKafka(topic)
    for (const driver of FORMATS) {
      const notifier = new Notifier(bus, { publisherId: 'node.1', driver, topics: [topic] })
      await Promise.all(
        PRIORITIES.map((priority) => notifier[priority]({ user_id: 'u' }, `${driver}.${priority}`, { text: 'ü 😀' })),
      )
    }
    for (const driver of FORMATS) {
      for (const priority of PRIORITIES) {
        const got = await listener.next('notification', { event_type: `${driver}.${priority}` })
        expect(got).toMatchObject({
          priority,
          publisher_id: 'node.1',
          payload: { text: 'ü 😀' },
          ctxt: { user_id: 'u' },
        })
      }
    }
    await Promise.all([listener.stop(), bus.close()])
  })

  it('from us to Python: pools of both libraries side by side, batches there', async () => {
    const topic = await topicFor('to-pools')
    const bus = await openKafka(topic)
    const inbox = new Inbox<Received>()
    await using ours = getNotificationListener(bus, [new Target({ topic })], [recorder(inbox, ['info'])], {
      pool: `${topic}-ours`,
    })
    await ours.start()
    const pool = ['--topics', topic, '--pool', `${topic}-theirs`, '--priorities', 'info']
    await using theirs = await Peer.start('listener', url, [...pool, '--batch-size', '10', '--batch-timeout', '2'])
    const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
    await Promise.all(Array.from({ length: 25 }, (_, n) => notifier.info({}, `e${n}`, { n })))
    const sizes: number[] = []
    while (sizes.reduce((sum, size) => sum + size, 0) < 25) sizes.push(Number((await theirs.next('batch'))['size']))
    expect(Math.max(...sizes)).toBe(10)
    expect((await inbox.atLeast(25)).length).toBe(25)
    await Promise.all([theirs.stop(), ours.stop()])
    await bus.close()
  })
})
