import { failureFacts, type IncomingNotification } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { kafkaDriver } from '../../src/index.ts'
import { ClientFault } from '../../src/port/client-port.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()
const GROUP = 'oslo_messaging_consumer'
const values = (kafka: ScriptedKafka, topic: string): string[] =>
  (kafka.topics.get(topic) ?? []).flat().map(({ value }) => String(value))
const failure = failureFacts(3, new RangeError('cannot do that'))

describe('dead letters of Kafka', () => {
  it.each([
    { options: {}, place: 't.info.dead' },
    { options: { kafka_dead_letter_topic: 'dead' }, place: 'dead' },
  ])('a buried notification is in $place with the reason, and committed only then', async ({ options, place }) => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { kafka_commit_mode: 'after', ...options } })
    const received = await listen(driver, 't', { onMessage: () => {} })
    kafka.store('t.info', [text(0)])
    await received.until(1)
    await received.messages[0]?.bury?.(failure)
    expect(values(kafka, place)).toEqual([text(0)])
    const buried = kafka.requests.find(({ topic }) => topic === place)?.records[0]
    expect(buried?.headers).toEqual({
      'x-oslo-attempts': '3',
      'x-oslo-reason': 'RangeError: cannot do that',
      'x-oslo-stack': expect.stringContaining('RangeError') as string,
      'x-oslo-origin': 't.info',
      'x-oslo-partition': '0',
      'x-oslo-offset': '0',
      'x-oslo-timestamp': '0',
    })
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 1, 'commit 1')
    await driver.close()
  })

  it('a topic that cannot be written rejects, and nothing is committed', async () => {
    const kafka = new ScriptedKafka()
    kafka.beforeStore = ({ topic }) => {
      if (topic === 't.info.dead') throw new ClientFault('INVALID_TOPIC_EXCEPTION', 'no')
    }
    const driver = openOver(kafka, { options: { kafka_commit_mode: 'after' } })
    const received = await listen(driver, 't', { onMessage: () => {} })
    kafka.store('t.info', [text(0)])
    await received.until(1)
    await expect(received.messages[0]?.bury?.(failure)).rejects.toThrow('no')
    expect(kafka.committed.get(`${GROUP} t.info/0`) ?? 0).toBe(0)
    await driver.close()
  })

  it('a record that cannot be read reaches the policy of the listener, and the next one is handled', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { kafka_commit_mode: 'after' } })
    const settle = (message: IncomingNotification): void => {
      if (message.unreadable === undefined) message.acknowledge()
      else void message.bury?.(failureFacts(1, message.unreadable.error))
    }
    const received = await listen(driver, 't', { onMessage: settle })
    kafka.store('t.info', ['no json', text(1)])
    await received.until(2)
    await eventually(() => kafka.committed.get(`${GROUP} t.info/0`) === 2, 'commit 2')
    expect(values(kafka, 't.info.dead')).toEqual(['no json'])
    await driver.close()
  })

  it.each([
    { options: { kafka_commit_mode: 'before' }, defaults: {} },
    { options: { kafka_commit_mode: 'after' }, defaults: { attempts: 3, backoffMs: 200, then: 'discard' } },
    {
      options: { kafka_commit_mode: 'after', kafka_max_attempts: 5, kafka_dead_letter_topic: 'dead' },
      defaults: { attempts: 5, backoffMs: 200, then: 'dead-letter' },
    },
  ])('options of this driver are the defaults of the policy: $options', ({ options, defaults }) => {
    const all = { kafka_max_attempts: 3, kafka_dead_letter_topic: '', ...options }
    expect(kafkaDriver.failureDefaults?.(all as unknown as Parameters<typeof kafkaDriver.open>[1]['options'])).toEqual(
      defaults,
    )
  })
})
