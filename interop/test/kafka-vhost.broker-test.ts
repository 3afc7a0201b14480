import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getNotificationListener, type NotificationTransport, Notifier, Target } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'

import { Inbox } from './support/inbox.ts'
import { openBus, unique } from './support/ours.ts'
import { Peer } from './support/peer.ts'
import { type Received, recorder } from './support/recorder.ts'

const python = await skipOrFail(pythonWithLibrary())
const kafka = await skipOrFail(sharedBroker('kafka'))

const VHOST = 'nova'
const MODES = ['append', 'both', 'compat'] as const

/** Our side with a virtual host, in a consumer group of its own. */
async function openVhost(mode: (typeof MODES)[number]): Promise<NotificationTransport> {
  const options = { consumer_group: unique('group'), kafka_vhost_mode: mode }
  return await openBus(kafka?.urlFor({ vhost: VHOST }) ?? '', { oslo_messaging_kafka: options })
}

const typesOf = (inbox: Inbox<Received>): string[] => inbox.items.map(({ eventType }) => String(eventType)).toSorted()

// The table of docs/adr/0007-kafka-vhost-mode.md, against the real library: its notifier appends the virtual host, its
// listener does not.
describe.skipIf(python === undefined || kafka === undefined).concurrent('virtual hosts on Kafka', () => {
  /** Python listeners do not create topics. */
  const topicFor = async (word: string): Promise<string> => {
    const topic = unique(word)
    await kafka?.createTopics([`${topic}.info`, `${topic}.info.${VHOST}`])
    return topic
  }

  it('P34 from Python to us: append meets the virtual host, both and compat also what has none', async () => {
    const topic = await topicFor('vhost-in')
    const inboxes = MODES.map(() => new Inbox<Received>())
    const buses = await Promise.all(MODES.map(async (mode) => await openVhost(mode)))
    const listeners = buses.map((bus, index) =>
      getNotificationListener(bus, [new Target({ topic })], [recorder(inboxes[index] ?? new Inbox(), ['info'])]),
    )
    await Promise.all(listeners.map(async (listener) => await listener.start()))
    const say = async (url: string, eventType: string): Promise<void> => {
      await using notifier = await Peer.start('notifier', url, ['--topics', topic])
      notifier.send({ id: 1, event_type: eventType, payload: {} })
      await notifier.stop()
    }
    await say(kafka?.url ?? '', 'without')
    await say(kafka?.urlFor({ vhost: VHOST }) ?? '', 'with')
    // A last one to both names, behind the others: who has it will get nothing more of them.
    const [append, both, compat] = inboxes
    await Promise.all([append?.atLeast(1), both?.atLeast(2), compat?.atLeast(2)])
    await say(kafka?.urlFor({ vhost: VHOST }) ?? '', 'with again')
    await append?.atLeast(2)
    expect(inboxes.map(typesOf)).toEqual([
      ['with', 'with again'],
      expect.arrayContaining(['with', 'without']) as string[],
      expect.arrayContaining(['with', 'without']) as string[],
    ])
    await Promise.all(buses.map(async (bus) => await bus.close()))
  })

  it('P34 from us to Python: only compat meets a Python listener that has a virtual host', async () => {
    const topic = await topicFor('vhost-out')
    const start = async (url: string): Promise<Peer> =>
      await Peer.start('listener', url, ['--topics', topic, '--priorities', 'info', '--pool', unique('pool')])
    const both = await Promise.all([start(kafka?.urlFor({ vhost: VHOST }) ?? ''), start(kafka?.url ?? '')])
    await using withVhost = both[0]
    await using without = both[1]
    for (const mode of ['append', 'both', 'compat'] as const) {
      const bus = await openVhost(mode)
      await new Notifier(bus, { driver: 'messagingv2', topics: [topic] }).info({}, mode, {})
      await bus.close()
    }
    // Sent last, received first: the others went elsewhere.
    for (const listener of [withVhost, without]) {
      expect(await listener.next('notification')).toMatchObject({ event_type: 'compat' })
    }
    await Promise.all([withVhost.stop(), without.stop()])
  })

  it('P34 ours meets ours, also in different modes', async () => {
    for (const sending of MODES) {
      for (const reading of MODES) {
        // A listener that reads only the appended name cannot meet a notifier that is told to leave it out.
        if (sending === 'compat' && reading === 'append') continue
        const topic = await topicFor('vhost-own')
        const inbox = new Inbox<Received>()
        const [from, to] = await Promise.all([openVhost(sending), openVhost(reading)])
        const listener = getNotificationListener(to, [new Target({ topic })], [recorder(inbox, ['info'])])
        await listener.start()
        await new Notifier(from, { driver: 'messagingv2', topics: [topic] }).info({}, `${sending} to ${reading}`, {})
        expect((await inbox.atLeast(1)).map(({ eventType }) => eventType)).toEqual([`${sending} to ${reading}`])
        await Promise.all([from.close(), to.close()])
      }
    }
  })
})
