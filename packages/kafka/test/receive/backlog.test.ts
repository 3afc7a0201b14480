import { describe, expect, it } from 'vitest'
import type { IncomingNotification } from '@oslo-messaging/core/driver'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const texts = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => encodeRecord(notification(n)).toString())

describe('how far behind a listener is', () => {
  it.each([
    { mode: 'before', position: 2, after: 'what was not handed out' },
    { mode: 'after', position: 1, after: 'what was not settled' },
  ])('kafka_commit_mode $mode - by partition, in backlog() and health: $after', async ({ mode, position }) => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 2)
    const driver = openOver(kafka, { options: { kafka_commit_mode: mode } })
    const open: IncomingNotification[] = []
    const received = await listen(driver, 't', { prefetch: 2, onMessage: (message) => open.push(message) })
    await eventually(() => received.listener.backlog?.()[0]?.waiting === 0, 'it knows that nothing waits')
    kafka.store('t.info', texts(10))
    await received.until(1)
    // One is done; of the second place one more may have been handed out.
    open[0]?.acknowledge()
    await received.until(2)
    await eventually(() => received.listener.backlog?.()[0]?.position === position, 'the position')
    const expected = [
      { source: 't.info/0', position, end: 10, waiting: 10 - position },
      { source: 't.info/1', position: 0, end: 0, waiting: 0 },
    ]
    expect(received.listener.backlog?.()).toEqual(expected)
    expect(driver.health().components.find(({ kind }) => kind === 'listener')?.backlog).toEqual(expected)
    await driver.close()
  })
})
