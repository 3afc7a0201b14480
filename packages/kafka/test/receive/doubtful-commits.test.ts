import { type Clock, systemClock } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { ClientFault } from '../../src/port/client-port.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver, recordingLogger } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const texts = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) => encodeRecord(notification(from + n)).toString())
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const POSITION = 'oslo_messaging_consumer t.info/0'
const CUT = new ClientFault('ECONNRESET', 'read ECONNRESET', { written: true })
const LOST = 'kafka notifications were committed and could not be given back; they will not be delivered'

/** A clock on which five seconds last a tenth of one. */
const hurried: Clock = {
  ...systemClock,
  now: () => systemClock.now() * 50,
  setTimeout: (callback, ms) => systemClock.setTimeout(callback, ms / 50),
}

/** Two members of one group, and one partition, which the first of them has. */
async function twoMembers() {
  const kafka = new ScriptedKafka()
  kafka.createTopic('t.info', 1)
  const logger = recordingLogger()
  const driver = openOver(kafka, { logger })
  const first = await listen(driver, 't')
  const second = await listen(driver, 't')
  return { kafka, logger, driver, first, second }
}

describe('kafka_commit_mode before, a commit whose connection ends before its answer', () => {
  it('it was stored, and another member reads on from there - what it stands for is handed out, once', async () => {
    const { kafka, driver, first, second } = await twoMembers()
    let cuts = 1
    kafka.afterCommit = () => {
      if (cuts-- > 0) throw CUT
    }
    kafka.store('t.info', texts(3))
    await eventually(() => kafka.consumers.slice(2).some(({ isMember }) => isMember), 'the first is a member again')
    kafka.store('t.info', texts(2, 3))
    await second.until(2)
    await first.until(3)
    expect([first.payloads, second.payloads]).toEqual([upTo(3), [3, 4]])
    await driver.close()
  })

  it('it was not stored, and another member has read the same and got as far - nothing comes twice', async () => {
    const { kafka, driver, first, second } = await twoMembers()
    let cuts = 1
    kafka.onCommit = () => {
      if (cuts-- > 0) throw CUT
    }
    // The first is back when the second has come and gone, so that it has the partition again.
    let isGone = false
    kafka.onJoin = async () => await eventually(() => isGone, 'the end of the second')
    kafka.store('t.info', texts(3))
    await second.until(3)
    await second.listener.close()
    isGone = true
    kafka.store('t.info', texts(1, 3))
    await first.until(1)
    expect([first.payloads, second.payloads]).toEqual([[3], upTo(3)])
    await driver.close()
  })

  it('the listener ends before it knows - says how many, and that they may be lost', async () => {
    const { kafka, driver, logger, first } = await twoMembers()
    kafka.afterCommit = () => {
      throw CUT
    }
    kafka.beforeAnswer = () => {
      throw CUT
    }
    kafka.store('t.info', texts(3))
    await eventually(() => kafka.committed.get(POSITION) === 3, 'the commit is stored')
    await first.listener.close()
    expect(first.payloads).toEqual([])
    const told = logger.lines.filter(({ message }) => message === LOST)
    expect(told.map(({ fields }) => fields?.['count'])).toEqual([3])
    await driver.close()
  })

  it.each([
    ['it was stored', () => {}],
    [
      'it was lost',
      () => {
        throw CUT
      },
    ],
  ])('the answer comes when the listener has ended, %s - says how many may be lost', async (_how, answer) => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 1)
    const logger = recordingLogger()
    const driver = openOver(kafka, { logger, clock: hurried })
    const received = await listen(driver, 't')
    let ends = (): void => {}
    let isAsked = false
    kafka.afterCommit = async () => {
      isAsked = true
      await new Promise<void>((resolve) => {
        ends = resolve
      })
      answer()
    }
    kafka.store('t.info', texts(3))
    await eventually(() => isAsked, 'the commit')
    kafka.beforeDisconnect = () => {
      kafka.afterCommit = () => {}
      ends()
    }
    await received.listener.close()
    expect(received.payloads).toEqual([])
    expect(logger.lines.filter(({ message }) => message === LOST).map(({ fields }) => fields?.['count'])).toEqual([3])
    await driver.close()
  })

  it('it is stored only when this listener is a member again - what it stands for is handed out once, and not read again', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 1)
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    kafka.onCommit = ([position]) => {
      kafka.onCommit = () => {}
      // The broker holds it until its replicas have it, while a new session asks, and joins.
      kafka.onJoin = () => {
        kafka.committed.set(POSITION, position?.offset ?? -1)
        kafka.notes.set(POSITION, position?.note ?? '')
      }
      throw CUT
    }
    kafka.store('t.info', texts(3))
    await received.until(3)
    kafka.store('t.info', texts(1, 3))
    await eventually(() => received.payloads.includes(3), 'the next one')
    expect(received.payloads).toEqual(upTo(4))
    await driver.close()
  })

  it('another client without notes has moved the position further - says how many may be lost', async () => {
    const { kafka, driver, logger, first, second } = await twoMembers()
    await second.listener.close()
    kafka.onCommit = () => {
      kafka.committed.set(POSITION, 7)
      kafka.notes.delete(POSITION)
      kafka.onCommit = () => {}
      throw CUT
    }
    kafka.store('t.info', texts(8))
    await first.until(1)
    expect(first.payloads).toEqual([7])
    expect(logger.lines.filter(({ message }) => message === LOST).map(({ fields }) => fields?.['count'])).toEqual([8])
    await driver.close()
  })
})

describe('a loss while a listener is being mended', () => {
  it('kafka_commit_mode after - handlers that end meanwhile do not begin the mending anew', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { kafka_commit_mode: 'after' } })
    const received = await listen(driver, 't', { onMessage: () => {} })
    kafka.store('t.info', texts(40))
    await received.until(40)
    let joins = 0
    kafka.onJoin = () => {
      joins += 1
    }
    kafka.beforeAnswer = async () => {
      // One after the other, so that each would be a commit of its own.
      for (const message of received.messages.splice(0)) {
        message.acknowledge()
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    kafka.consumers[0]?.crash(CUT)
    await eventually(() => kafka.committed.get(POSITION) === 40, 'everything is committed')
    await eventually(() => driver.health().status === 'ok', 'it is well')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(joins).toBe(1)
    await driver.close()
  })

  it('kafka_commit_mode before - commits that end with the old session do not end the new one', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    let joins = 0
    let isCut = false
    kafka.onJoin = () => {
      joins += 1
    }
    kafka.onCommit = async () => {
      // The answer is waited for until the connection ends.
      if (!isCut) await eventually(() => isCut, 'the end of the session')
      if (joins === 0) throw CUT
    }
    kafka.store('t.info', texts(3))
    await new Promise((resolve) => setTimeout(resolve, 20))
    kafka.consumers[0]?.crash(CUT)
    await new Promise((resolve) => setTimeout(resolve, 20))
    isCut = true
    await received.until(3)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(received.payloads).toEqual(upTo(3))
    expect(joins).toBe(1)
    await driver.close()
  })
})
