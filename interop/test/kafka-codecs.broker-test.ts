import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getNotificationListener, Notifier, Target } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'

import { Inbox } from './support/inbox.ts'
import { openBus, unique } from './support/ours.ts'
import { Peer } from './support/peer.ts'
import { type Received, recorder } from './support/recorder.ts'

const python = await skipOrFail(pythonWithLibrary())
const kafka = await skipOrFail(sharedBroker('kafka'))

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const EACH = 20
/** Long enough that every codec makes it smaller. */
const TEXT = 'ü 😀 '.repeat(100)
/** Few large requests, and many small ones. */
const BATCHES = [
  { producer_batch_timeout: 0.05, producer_batch_size: 100 },
  { producer_batch_timeout: 0, producer_batch_size: 3 },
] as const

const settings = (options: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => ['--set', `oslo_messaging_kafka.${name}=${String(value)}`])

describe.skipIf(python === undefined || kafka === undefined).concurrent('codecs and batches on Kafka', () => {
  const url = kafka?.url ?? ''
  const expected = CODECS.flatMap((codec) => Array.from({ length: EACH }, (_, n) => `${codec}.${n}`)).toSorted()

  const topicFor = async (word: string): Promise<string> => {
    const topic = unique(word)
    await kafka?.createTopics([`${topic}.info`])
    return topic
  }

  it('P27 from Python to us: five codecs on one topic', async () => {
    const topic = await topicFor('codecs-in')
    const inbox = new Inbox<Received>()
    const bus = await openBus(url, { oslo_messaging_kafka: { consumer_group: topic } })
    await using listener = getNotificationListener(bus, [new Target({ topic })], [recorder(inbox, ['info'])])
    await listener.start()
    await Promise.all(
      CODECS.map(async (codec) => {
        await using notifier = await Peer.start('notifier', url, [
          '--topics',
          topic,
          ...settings({ compression_codec: codec, producer_batch_timeout: 0.05 }),
        ])
        for (let id = 0; id < EACH; id++) notifier.send({ id, event_type: `${codec}.${id}`, payload: { text: TEXT } })
        await notifier.stop()
      }),
    )
    const got = await inbox.atLeast(expected.length)
    expect(got.map(({ eventType }) => String(eventType)).toSorted()).toEqual(expected)
    for (const { payload } of got) expect(payload).toEqual({ text: TEXT })
    await bus.close()
  })

  it('P27 from us to Python: five codecs on one topic', async () => {
    const topic = await topicFor('codecs-out')
    await using listener = await Peer.start('listener', url, [
      '--topics',
      topic,
      '--priorities',
      'info',
      '--pool',
      topic,
    ])
    for (const codec of CODECS) {
      const bus = await openBus(url, { oslo_messaging_kafka: { compression_codec: codec } })
      const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
      await Promise.all(Array.from({ length: EACH }, (_, n) => notifier.info({}, `${codec}.${n}`, { text: TEXT })))
      await bus.close()
    }
    const got: unknown[] = []
    while (got.length < expected.length) {
      const { event_type: eventType, payload } = await listener.next('notification')
      expect(payload).toEqual({ text: TEXT })
      got.push(eventType)
    }
    expect(got.map(String).toSorted()).toEqual(expected)
    await listener.stop()
  })

  it('both batch settings, both ways: whatever is sent together, all of it arrives', async () => {
    const topic = await topicFor('batching')
    const inbox = new Inbox<Received>()
    const own = await openBus(url, { oslo_messaging_kafka: { consumer_group: topic } })
    await using ours = getNotificationListener(own, [new Target({ topic })], [recorder(inbox, ['info'])])
    const pool = ['--topics', topic, '--priorities', 'info', '--pool', `${topic}-theirs`]
    const [theirs] = await Promise.all([Peer.start('listener', url, pool), ours.start()])
    await using listening = theirs
    for (const [index, options] of BATCHES.entries()) {
      const bus = await openBus(url, { oslo_messaging_kafka: options })
      const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
      await Promise.all(Array.from({ length: EACH }, (_, n) => notifier.info({}, `ours.${index}.${n}`, {})))
      await bus.close()
      await using peer = await Peer.start('notifier', url, ['--topics', topic, ...settings(options)])
      for (let id = 0; id < EACH; id++) peer.send({ id, event_type: `theirs.${index}.${id}`, payload: {} })
      await peer.stop()
    }
    const all = 2 * BATCHES.length * EACH
    const atOurs = (await inbox.atLeast(all)).map(({ eventType }) => String(eventType))
    const atTheirs: string[] = []
    while (atTheirs.length < all) atTheirs.push(String((await listening.next('notification'))['event_type']))
    expect(new Set(atOurs).size).toBe(all)
    expect(atTheirs.toSorted()).toEqual(atOurs.toSorted())
    await listening.stop()
    await own.close()
  })
})
