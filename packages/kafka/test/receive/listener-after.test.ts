import { describe, expect, it } from 'vitest'
import { createDeferred, type IncomingNotification } from '@oslo-messaging/core/driver'
import { ClientFault } from '../../src/port/client-port.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver, type Options, recordingLogger } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()
const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => text(from + n))
const GROUP = 'oslo_messaging_consumer'
const options: Options = { kafka_commit_mode: 'after' }

/** A listener that has handed out `count` notifications, none of which is acknowledged. */
async function listenAndHold(count: number, logger = recordingLogger()) {
  const kafka = new ScriptedKafka()
  const driver = openOver(kafka, { options, logger })
  const open: IncomingNotification[] = []
  const received = await listen(driver, 't', { onMessage: (message) => open.push(message) })
  kafka.store('t.info', texts(count))
  await received.until(count)
  return { kafka, driver, open, received }
}

describe('listener, kafka_commit_mode after', () => {
  it('commits only what is acknowledged, and only up to the first that is not', async () => {
    const { kafka, driver, open, received } = await listenAndHold(4)
    open[0]?.acknowledge()
    open[2]?.acknowledge()
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 1, 'commit 1')
    open[1]?.acknowledge()
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 3, 'commit 3')
    await received.listener.close()
    expect(kafka.committed.get(`${GROUP} t.info/0`)).toBe(3)
    await driver.close()
  })

  it('stop, then acknowledge, then close - the late acknowledgement is committed', async () => {
    const { kafka, driver, open, received } = await listenAndHold(2)
    await received.listener.stop()
    for (const message of open) message.acknowledge()
    await received.listener.close()
    expect(kafka.committed.get(`${GROUP} t.info/0`)).toBe(2)
    await driver.close()
  })

  it('revoked partitions abort their handlers by signal, and what was unfinished comes again', async () => {
    const logger = recordingLogger()
    const { kafka, driver, open, received } = await listenAndHold(2, logger)
    kafka.consumers[0]?.assign([])
    expect(open.map(({ signal }) => signal?.aborted)).toEqual([true, true])
    expect(logger.lines.find(({ message }) => message.includes('taken away'))?.fields).toMatchObject({ unfinished: 2 })
    for (const message of open) message.acknowledge()
    kafka.rebalance(GROUP)
    await received.until(4)
    expect(received.payloads).toEqual([0, 1, 0, 1])
    expect(received.messages.map(({ redelivered }) => redelivered)).toEqual([false, false, true, true])
    await driver.close()
  })

  it('a partition is taken away while a failed notification waits for its next attempt - the listener still receives when it is back', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options })
    let failing = true
    const received = await listen(driver, 't', {
      prefetch: 1,
      onMessage: (message) => {
        // As core does with a failed notification that waits for its next attempt.
        if (failing) message.signal?.addEventListener('abort', () => message.leave?.())
        else message.acknowledge()
      },
    })
    kafka.store('t.info', texts(3))
    await received.until(1)
    kafka.consumers[0]?.assign([])
    failing = false
    kafka.rebalance(GROUP)
    await received.until(4)
    expect(received.payloads).toEqual([0, 0, 1, 2])
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 3, 'commit 3')
    await driver.close()
  })

  it('P10 the group is dealt out anew - what is being handled is finished and committed before the partitions go, nothing else is begun', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 2)
    const driver = openOver(kafka, { options })
    const open: IncomingNotification[] = []
    const one = await listen(driver, 't', { prefetch: 3, onMessage: (message) => open.push(message) })
    kafka.store('t.info', texts(5), 1)
    await one.until(2)
    const two = openOver(kafka, { options })
    const announced = createDeferred<void>()
    kafka.onJoin = async () => {
      const ready = kafka.announce(GROUP)
      announced.resolve()
      await ready
    }
    const joining = listen(two, 't')
    // The group waits for the first member to come back.
    await announced.promise
    for (const message of open.splice(0)) message.acknowledge()
    const other = await joining
    expect(kafka.commits.filter(({ offset }) => offset === 2)).toHaveLength(1)
    await other.until(3)
    expect(other.payloads).toEqual([2, 3, 4])
    expect(one.payloads).toEqual([0, 1])
    await two.close()
    await driver.close()
  })

  it('P10 the group is dealt out anew - slow handlers are waited for a second at most', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options })
    const received = await listen(driver, 't', { prefetch: 1, onMessage: () => {} })
    kafka.store('t.info', texts(2))
    await received.until(1)
    const since = performance.now()
    await kafka.rejoin(GROUP)
    expect(performance.now() - since).toBeGreaterThan(900)
    expect(performance.now() - since).toBeLessThan(2500)
    expect(received.messages[0]?.signal?.aborted).toBe(false)
    await driver.close()
  })

  it('a commit that the moving group refused is made up for when the group has settled', async () => {
    const { kafka, driver, open } = await listenAndHold(1)
    let refused = false
    kafka.onCommit = () => {
      if (refused) return
      refused = true
      throw new ClientFault('REBALANCE_IN_PROGRESS', 'the group moves')
    }
    open[0]?.acknowledge()
    await eventually(() => refused, 'the refusal')
    kafka.rebalance(GROUP)
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 1, 'commit 1')
    await driver.close()
  })

  it('a crash of the client - notifications in work are not handed out a second time', async () => {
    const { kafka, driver, open, received } = await listenAndHold(2)
    kafka.consumers[0]?.crash(new ClientFault('UNKNOWN_SERVER_ERROR', 'oops'))
    kafka.store('t.info', texts(1, 2))
    await received.until(3)
    for (const message of open) message.acknowledge()
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 3, 'commit 3')
    expect(received.payloads).toEqual([0, 1, 2])
    await driver.close()
  })

  it('an unreadable record counts as done', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options })
    const received = await listen(driver, 't')
    kafka.store('t.info', ['nonsense'])
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 1, 'commit 1')
    await received.listener.close()
    await driver.close()
  })
})
