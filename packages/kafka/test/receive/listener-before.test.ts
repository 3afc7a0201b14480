import { describe, expect, it } from 'vitest'
import { createDeferred, type IncomingNotification } from '@oslo-messaging/core/driver'
import { ClientFault } from '../../src/port/client-port.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver, recordingLogger } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()
const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => text(from + n))
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const GROUP = 'oslo_messaging_consumer'

/** A listener whose commits wait for the test: `answer` lets the oldest through, or refuses it. */
async function listenWithGate(kafka: ScriptedKafka) {
  const driver = openOver(kafka)
  const received = await listen(driver, 't')
  const waiting: { readonly offset: number; readonly answer: (fault?: ClientFault) => void }[] = []
  kafka.onCommit = async ([position]) => {
    const gate = createDeferred<void>()
    const answer = (fault?: ClientFault): void => (fault === undefined ? gate.resolve() : gate.reject(fault))
    waiting.push({ offset: position?.offset ?? -1, answer })
    await gate.promise
  }
  const commit = async (offset: number): Promise<(fault?: ClientFault) => void> => {
    await eventually(() => waiting.length > 0, `commit ${offset}`)
    const [oldest] = waiting.splice(0, 1)
    expect(oldest?.offset).toBe(offset)
    return oldest?.answer ?? (() => {})
  }
  return { driver, received, waiting, commit }
}

/** A listener whose partition went to another member and came back when that one had read up to `position`. It has four
 *  notifications of before and those behind the position up to the eighth; each waits for the end of the one before. */
async function comesBack(position: number) {
  const kafka = new ScriptedKafka()
  const logger = recordingLogger()
  const driver = openOver(kafka, { logger })
  const open: IncomingNotification[] = []
  const received = await listen(driver, 't', { prefetch: 1, onMessage: (message) => open.push(message) })
  const key = `${GROUP} t.info/0`
  const committed = (): number | undefined => kafka.committed.get(key)
  kafka.store('t.info', texts(4))
  await eventually(() => committed() === 4, 'commit 4')
  kafka.consumers[0]?.assign([])
  kafka.store('t.info', texts(4, 4))
  kafka.committed.set(key, position)
  kafka.rebalance(GROUP)
  await eventually(() => committed() === 8, 'commit 8')
  return { driver, received, open, committed, logger }
}

describe('listener, kafka_commit_mode before, while a commit is under way', () => {
  it('the next batch is fetched meanwhile, and waits for that commit and its own', async () => {
    const kafka = new ScriptedKafka()
    kafka.fetchSize = 2
    const { driver, received, waiting, commit } = await listenWithGate(kafka)
    kafka.store('t.info', texts(6))
    const first = await commit(2)
    await eventually(() => kafka.consumers[0]?.fetches === 2, 'the second fetch')
    expect([received.payloads, waiting.length]).toEqual([[], 0])
    first()
    const second = await commit(4)
    await received.until(2)
    expect(received.payloads).toEqual(upTo(2))
    second()
    ;(await commit(6))()
    await received.until(6)
    expect(received.payloads).toEqual(upTo(6))
    await driver.close()
  })

  it('it is refused because the group moves - nothing of it and of the batch behind it is handed out, and both come once after the join', async () => {
    const kafka = new ScriptedKafka()
    kafka.fetchSize = 2
    const { driver, received, commit } = await listenWithGate(kafka)
    kafka.store('t.info', texts(4))
    const first = await commit(2)
    await eventually(() => kafka.consumers[0]?.fetches === 2, 'the second fetch')
    first(new ClientFault('REBALANCE_IN_PROGRESS', 'the group moves'))
    const again = await commit(2)
    expect([received.payloads, kafka.consumers[0]?.refusals]).toEqual([[], ['REBALANCE_IN_PROGRESS']])
    again()
    ;(await commit(4))()
    await received.until(4)
    expect(received.payloads).toEqual(upTo(4))
    await driver.close()
  })

  it('its answer is lost while the next batch waits - that one is not stored before it, and nothing is lost', async () => {
    const kafka = new ScriptedKafka()
    kafka.fetchSize = 2
    const { driver, received, commit } = await listenWithGate(kafka)
    // The second of two losses in a row is mended after a pause, in which the client reads on.
    kafka.consumers[0]?.crash(new ClientFault('ECONNRESET', 'the connection broke'))
    await eventually(() => driver.health().status === 'ok', 'health ok')
    kafka.store('t.info', texts(4))
    const first = await commit(2)
    await eventually(() => kafka.consumers[1]?.fetches === 2, 'the second fetch')
    first(new ClientFault('ECONNRESET', 'the connection broke'))
    ;(await commit(2))()
    ;(await commit(4))()
    await received.until(4)
    expect(received.payloads).toEqual(upTo(4))
    await driver.close()
  })

  it('it is refused and nothing more is stored - the member joins again by itself', async () => {
    const kafka = new ScriptedKafka()
    const { driver, received, commit } = await listenWithGate(kafka)
    kafka.store('t.info', texts(2))
    ;(await commit(2))(new ClientFault('ILLEGAL_GENERATION', 'the group has moved'))
    ;(await commit(2))()
    await received.until(2)
    expect(kafka.consumers[0]?.refusals).toEqual(['ILLEGAL_GENERATION'])
    expect(received.payloads).toEqual(upTo(2))
    await driver.close()
  })

  it('it is refused just before the client fetches on - the member joins again by itself', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    let isRefused = false
    kafka.onCommit = async () => {
      if (isRefused) return
      isRefused = true
      // Ahead of the client, which waits for such a turn before it fetches on.
      await new Promise((resolve) => setImmediate(resolve))
      throw new ClientFault('ILLEGAL_GENERATION', 'the group has moved')
    }
    kafka.store('t.info', texts(2))
    await received.until(2)
    expect(kafka.consumers[0]?.refusals).toEqual(['ILLEGAL_GENERATION'])
    expect(received.payloads).toEqual(upTo(2))
    await driver.close()
  })

  it('the group is dealt out anew - the partitions are kept until the answer, and nothing comes twice', async () => {
    const kafka = new ScriptedKafka()
    const { driver, received, commit } = await listenWithGate(kafka)
    kafka.store('t.info', texts(2))
    const first = await commit(2)
    let isReady = false
    const announced = kafka.announce(GROUP).then(() => {
      isReady = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isReady).toBe(false)
    first()
    await announced
    kafka.rebalance(GROUP)
    kafka.store('t.info', texts(1, 2))
    ;(await commit(3))()
    await received.until(3)
    expect(received.payloads).toEqual(upTo(3))
    await driver.close()
  })

  it('the partition is dealt out before the answer - what was committed is handed out, once', async () => {
    const kafka = new ScriptedKafka()
    const { driver, received, commit } = await listenWithGate(kafka)
    kafka.store('t.info', texts(2))
    const first = await commit(2)
    kafka.rebalance(GROUP)
    first()
    await received.until(2)
    kafka.store('t.info', texts(1, 2))
    ;(await commit(3))()
    await received.until(3)
    expect(received.payloads).toEqual(upTo(3))
    await driver.close()
  })

  it('the listener stops - it waits for the answer and gives back what nobody was handed', async () => {
    const kafka = new ScriptedKafka()
    const { driver, received, commit } = await listenWithGate(kafka)
    kafka.store('t.info', texts(2))
    const first = await commit(2)
    const stopping = received.listener.stop()
    await new Promise((resolve) => setImmediate(resolve))
    first()
    ;(await commit(0))()
    await stopping
    expect(received.payloads).toEqual([])
    expect(kafka.committed.get(`${GROUP} t.info/0`)).toBe(0)
    kafka.onCommit = () => {}
    const rest = await listen(driver, 't')
    await rest.until(2)
    expect(rest.payloads).toEqual(upTo(2))
    await driver.close()
  })

  it('the partition goes to another member while records wait for room - they are neither committed nor handed out here', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { max_poll_records: 2 } })
    const open: IncomingNotification[] = []
    const received = await listen(driver, 't', { prefetch: 2, onMessage: (message) => open.push(message) })
    kafka.store('t.info', texts(10))
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 6, 'commit 6')
    kafka.consumers[0]?.assign([])
    // What was committed before is still ours.
    for (const count of [2, 4, 6]) {
      await received.until(count)
      for (const message of open.splice(0)) message.acknowledge()
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(received.payloads).toEqual(upTo(6))
    expect(kafka.commits.map(({ offset }) => offset)).not.toContain(8)
    kafka.rebalance(GROUP)
    await eventually(() => open.length > 0, 'the next one')
    expect(received.payloads.slice(6, 7)).toEqual([6])
    await driver.close()
  })

  it('the partition goes to another member and comes back while records of before wait for their handlers - all are handed out in the order they were stored', async () => {
    const { driver, received, open } = await comesBack(4)
    for (let count = 1; count <= 8; count += 1) {
      await received.until(count)
      for (const message of open.splice(0)) message.acknowledge()
    }
    expect(received.payloads).toEqual(upTo(8))
    await driver.close()
  })

  it('the same, and the listener stops - what nobody has read behind is given back', async () => {
    const { driver, received, committed } = await comesBack(4)
    await received.listener.stop()
    expect([received.payloads, committed()]).toEqual([[0], 1])
    await driver.close()
  })

  it('another member reads on before it comes back - what it read is not given back when the listener stops, and the rest of before is reported with its number', async () => {
    const { driver, received, committed, logger } = await comesBack(6)
    await received.listener.stop()
    expect([received.payloads, committed()]).toEqual([[0], 6])
    const reports = logger.lines.filter(({ message }) => message.includes('could not be given back'))
    expect(reports.map(({ fields }) => fields?.['count'])).toEqual([3])
    await driver.close()
  })

  it.each(['before', 'after'])(
    'large notifications and slow handlers, commit %s - what is fetched and not handed out is bounded in bytes, over all partitions',
    async (kafka_commit_mode) => {
      const kafka = new ScriptedKafka()
      kafka.createTopic('t.info', 3)
      const boundBytes = 1024 * 1024
      const options = { kafka_commit_mode, kafka_max_queued_bytes: boundBytes, kafka_consumer_timeout: 0.05 }
      const driver = openOver(kafka, { options })
      const open: IncomingNotification[] = []
      const received = await listen(driver, 't', { prefetch: 2, onMessage: (message) => open.push(message) })
      const value = text('x'.repeat(50_000))
      for (const partition of [0, 1, 2])
        kafka.store(
          't.info',
          Array.from({ length: 100 }, () => value),
          partition,
        )
      await received.until(2)
      await eventually(() => kafka.consumers[0]?.paused.size === 3, 'all partitions paused')
      const takenOver = kafka.consumers[0]?.resolved ?? 0
      expect((takenOver - received.messages.length) * value.length).toBeLessThanOrEqual(boundBytes)
      // And it goes on as they are handled.
      const handling = setInterval(() => {
        for (const message of open.splice(0)) message.acknowledge()
      }, 1)
      await received.until(300, 15_000)
      clearInterval(handling)
      expect(received.messages).toHaveLength(300)
      await driver.close()
    },
  )
})
