import { describe, expect, it } from 'vitest'
import { ClientFault } from '../../src/port/client-port.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver, recordingLogger } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()
const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => text(from + n))
const GROUP = 'oslo_messaging_consumer'

describe('poison policy', () => {
  const values = (kafka: ScriptedKafka, topic: string): string[] =>
    (kafka.topics.get(topic) ?? []).flat().map(({ value }) => String(value))

  it('a handler that fails gets the notification again, then it goes to the dead-letter topic with the reason', async () => {
    const kafka = new ScriptedKafka()
    const logger = recordingLogger()
    const driver = openOver(kafka, {
      logger,
      options: { kafka_commit_mode: 'after', kafka_max_attempts: 3, kafka_dead_letter_topic: 'dead' },
    })
    const received = await listen(driver, 't', {
      onMessage: (message) => {
        if (message.message['payload'] === 0) message.failed?.(new RangeError('cannot do that'))
        else message.acknowledge()
      },
    })
    kafka.store('t.info', texts(2))
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 2, 'commit 2')
    const attempts = received.messages.filter(({ message }) => message['payload'] === 0)
    expect(attempts.map(({ deliveryCount }) => deliveryCount)).toEqual([0, 1, 2])
    expect(attempts.map(({ redelivered }) => redelivered)).toEqual([false, true, true])
    expect(values(kafka, 'dead')).toEqual([text(0)])
    const buried = kafka.requests.find(({ topic }) => topic === 'dead')?.records[0]
    expect(buried?.headers).toEqual({
      'oslo-messaging-topic': 't.info',
      'oslo-messaging-partition': '0',
      'oslo-messaging-offset': '0',
      'oslo-messaging-attempts': '3',
      'oslo-messaging-reason': 'RangeError: cannot do that',
    })
    await driver.close()
  })

  it('without a dead-letter topic it is discarded with a log line', async () => {
    const kafka = new ScriptedKafka()
    const logger = recordingLogger()
    const driver = openOver(kafka, { logger, options: { kafka_commit_mode: 'after', kafka_max_attempts: 1 } })
    await listen(driver, 't', { onMessage: (message) => message.failed?.(new Error('no')) })
    kafka.store('t.info', texts(1))
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 1, 'commit 1')
    expect(logger.lines.filter(({ message }) => message.includes('discarded'))).toHaveLength(1)
    await driver.close()
  })

  it('a dead-letter topic that cannot be written is tried again; nothing is committed before', async () => {
    const kafka = new ScriptedKafka()
    let refusals = 2
    kafka.beforeStore = ({ topic }) => {
      if (topic === 'dead' && refusals-- > 0) throw new ClientFault('INVALID_TOPIC_EXCEPTION', 'no')
    }
    const driver = openOver(kafka, {
      options: { kafka_commit_mode: 'after', kafka_max_attempts: 1, kafka_dead_letter_topic: 'dead' },
    })
    await listen(driver, 't', { onMessage: (message) => message.failed?.(new Error('no')) })
    kafka.store('t.info', texts(1))
    await eventually(() => values(kafka, 'dead').length === 1, 'the dead letter')
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 1, 'commit 1')
    await driver.close()
  })

  it('commit before dispatch has no such policy: the notification is committed already', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    kafka.store('t.info', texts(1))
    await received.until(1)
    expect(received.messages[0]).not.toHaveProperty('failed')
    await driver.close()
  })
})
