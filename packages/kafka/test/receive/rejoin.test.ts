import { describe, expect, it } from 'vitest'
import { createDeferred } from '@oslo-messaging/core/driver'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver, recordingLogger, send } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const GROUP = 'oslo_messaging_consumer'
const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()
const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

/** A group that is dealt out again while members still ask where to begin: each new topic does that. */
describe('a group that is dealt out again at once', () => {
  it('the position is being fixed - what is handed out meanwhile does not come a second time', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info')
    const fixing = createDeferred<void>()
    const answering = createDeferred<void>()
    let commits = 0
    kafka.onCommit = async () => {
      commits += 1
      if (commits === 1) await fixing.promise
    }
    const logger = recordingLogger()
    const driver = openOver(kafka, { logger })
    const listening = listen(driver, 't')
    await eventually(() => commits === 1, 'the first commit')
    kafka.store('t.info', [text(0)])
    await turn()
    kafka.beforeAnswer = async () => await answering.promise
    kafka.rebalance(GROUP)
    await turn()
    fixing.resolve()
    const received = await listening
    await received.until(1)
    answering.resolve()
    kafka.store('t.info', [text(1)])
    await received.until(2)
    await send(driver, 't.info', 2)
    await received.until(3)
    expect(received.payloads).toEqual([0, 1, 2])
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
    await received.listener.close()
    await driver.close()
  })
})
