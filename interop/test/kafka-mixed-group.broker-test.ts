import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getNotificationListener, type NotificationTransport, Notifier, Target } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'

import { Inbox } from './support/inbox.ts'
import { openBus, unique } from './support/ours.ts'
import { Peer } from './support/peer.ts'
import { type Received, recorder } from './support/recorder.ts'

const python = await skipOrFail(pythonWithLibrary())
const kafka = await skipOrFail(sharedBroker('kafka'))
const EACH = 40

// One consumer group for both: a deployment that replaces its listeners one by one. The outcome is that of
// docs/kafka-deployment-guide.md.
describe.skipIf(python === undefined || kafka === undefined).concurrent('Python and ours in one consumer group', () => {
  const url = kafka?.url ?? ''

  interface Ours extends AsyncDisposable {
    readonly inbox: Inbox<Received>
    readonly bus: NotificationTransport
  }

  async function startOurs(topic: string, group: string): Promise<Ours> {
    const inbox = new Inbox<Received>()
    const bus = await openBus(url, { oslo_messaging_kafka: { consumer_group: group } })
    const listener = getNotificationListener(bus, [new Target({ topic })], [recorder(inbox, ['info'])])
    await listener.start()
    const asyncDispose = async (): Promise<void> => {
      await bus.close()
    }
    return { inbox, bus, [Symbol.asyncDispose]: asyncDispose }
  }

  const startPython = async (topic: string, group: string): Promise<Peer> => {
    const group_ = ['--set', `oslo_messaging_kafka.consumer_group=${group}`]
    return await Peer.start('listener', url, ['--topics', topic, '--priorities', 'info', ...group_])
  }

  /** One request each, which go to the partitions in turn. */
  async function say(bus: NotificationTransport, topic: string, word: string): Promise<string[]> {
    const notifier = new Notifier(bus, { driver: 'messagingv2', topics: [topic] })
    const said = Array.from({ length: EACH }, (_, n) => `${word}.${n}`)
    for (const eventType of said) await notifier.info({}, eventType, {})
    return said
  }

  async function takeAll(peer: Peer, count: number): Promise<string[]> {
    const got: string[] = []
    while (got.length < count) got.push(String((await peer.next('notification'))['event_type']))
    return got
  }

  it.each(['ours first', 'Python first'])(
    'P34 %s - they agree how to share, each notification goes to one of the two, and who stays gets all',
    async (order) => {
      const topic = unique('mixed')
      const group = unique('group')
      await kafka?.createTopics([`${topic}.info`], { partitions: 4 })
      // Positions are fixed by whoever of ours listens first; Python alone would begin at the end each time it is given
      // a partition.
      const first = await startOurs(topic, group)
      let theirs: Peer
      let ours = first
      if (order === 'ours first') theirs = await startPython(topic, group)
      else {
        await first[Symbol.asyncDispose]()
        theirs = await startPython(topic, group)
        ours = await startOurs(topic, group)
      }
      await using _theirs = theirs
      await using _ours = ours

      const said = await say(ours.bus, topic, 'both')
      // The turn of the partitions is even, and so are the shares: two of four each.
      const [atOurs, atTheirs] = await Promise.all([ours.inbox.atLeast(EACH / 2), takeAll(theirs, EACH / 2)])
      const got = [...atOurs.map(({ eventType }) => String(eventType)), ...atTheirs]
      expect(got.toSorted()).toEqual(said.toSorted())

      await theirs.stop()
      const alone = await say(ours.bus, topic, 'alone')
      await ours.inbox.atLeast(EACH / 2 + EACH)
      expect(
        ours.inbox.items
          .slice(EACH / 2)
          .map(({ eventType }) => String(eventType))
          .toSorted(),
      ).toEqual(alone.toSorted())
    },
  )
})
