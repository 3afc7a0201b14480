import { describe, expect, it } from 'vitest'
import type { StartFrom } from '@oslo-messaging/core/driver'
import { encodeRecord } from '../../src/wire/record.ts'
import { listen, notification, openOver, recordingLogger } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()

/** Six notifications, stored at 100, 200, ... 600. */
function kafkaWithSix(): ScriptedKafka {
  const kafka = new ScriptedKafka()
  for (let n = 0; n < 6; n += 1) kafka.store('t.info', [text(n)], 0, (n + 1) * 100)
  return kafka
}

describe('startFrom', () => {
  it.each<{ readonly startFrom: StartFrom; readonly gets: readonly unknown[] }>([
    { startFrom: 'earliest', gets: [0, 1, 2, 3, 4, 5, 'new'] },
    { startFrom: 'latest', gets: ['new'] },
    { startFrom: { timestamp: 300 }, gets: [2, 3, 4, 5, 'new'] },
    { startFrom: { timestamp: 301 }, gets: [3, 4, 5, 'new'] },
    { startFrom: { timestamp: 9000 }, gets: ['new'] },
    { startFrom: { offset: 4 }, gets: [4, 5, 'new'] },
    { startFrom: { offset: 4000 }, gets: ['new'] },
  ])('$startFrom - a group that has never read gets $gets, without a warning', async ({ startFrom, gets }) => {
    const kafka = kafkaWithSix()
    const logger = recordingLogger()
    const driver = openOver(kafka, { logger })
    const received = await listen(driver, 't', { startFrom })
    kafka.store('t.info', [text('new')], 0, 700)
    await received.until(gets.length)
    expect(received.payloads).toEqual(gets)
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
    await driver.close()
  })

  it('a group that has read goes on where it stood', async () => {
    const kafka = kafkaWithSix()
    kafka.committed.set('oslo_messaging_consumer t.info/0', 5)
    const driver = openOver(kafka)
    const received = await listen(driver, 't', { startFrom: { timestamp: 100 } })
    await received.until(1)
    expect(received.payloads).toEqual([5])
    await driver.close()
  })
})
