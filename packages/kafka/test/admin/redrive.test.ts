import {
  Deadline,
  MessageDeliveryFailure,
  type RedriveRequest,
  silentLogger,
  systemClock,
  TransportURL,
} from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import type { OutgoingRecord } from '../../src/port/client-port.ts'
import { kafkaConfig, type KafkaOptions } from '../../src/config.ts'
import { Redrive } from '../../src/admin/redrive.ts'
import { readSettings } from '../../src/settings.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const GROUP = 'oslo-messaging-redrive.dead'

/** A dead-letter topic of one partition with a letter for each origin. */
function withLetters(origins: readonly (string | null)[]) {
  const kafka = new ScriptedKafka()
  kafka.createTopic('dead')
  const bury = (letters: readonly (string | null)[]): void =>
    kafka.append(
      { topic: 'dead', partition: 0 },
      letters.map((origin, index): OutgoingRecord => {
        const ours = { 'x-oslo-reason': 'why', 'x-oslo-attempts': '3' }
        const headers = { mine: 'kept', ...ours, ...(origin === null ? {} : { 'x-oslo-origin': origin }) }
        return { value: Buffer.from(`${origin} ${index}`), headers }
      }),
    )
  bury(origins)
  const sent: { topic: string; value: string; headers: unknown }[] = []
  let refuse: (value: string) => Error | undefined = () => undefined
  const defaults = Object.entries(kafkaConfig.options).map(([name, option]) => [name, option.default])
  const settings = readSettings(
    TransportURL.parse('kafka://broker:9092/'),
    {
      options: Object.fromEntries(defaults) as KafkaOptions,
      defaultExchange: 'openstack',
      program: 'test',
      logger: silentLogger,
      clock: systemClock,
      random: Math.random,
    },
    undefined,
  )
  const redrive = async (only: string | null, changes: Partial<RedriveRequest> = {}) =>
    await new Redrive({
      client: kafka,
      settings,
      topic: 'dead',
      only,
      request: { source: 'dead', to: null, limit: null, dryRun: false, deadline: Deadline.after(3000), ...changes },
      send: async (topic, { value, headers }) => {
        await Promise.resolve()
        const error = refuse(String(value))
        if (error !== undefined) throw error
        sent.push({ topic, value: String(value), headers })
      },
    }).run()
  return { kafka, sent, bury, redrive, refuseTo: (judge: typeof refuse) => (refuse = judge) }
}

describe('P09 - redrive on Kafka', () => {
  it('each letter goes back to its topic once, as it was; those that fail again meanwhile wait for the next run', async () => {
    const { sent, bury, redrive } = withLetters(['a.info', 'b.info'])
    await expect(redrive(null)).resolves.toEqual({ moved: 2, left: 0, skipped: [] })
    expect(sent).toEqual([
      { topic: 'a.info', value: 'a.info 0', headers: { mine: 'kept' } },
      { topic: 'b.info', value: 'b.info 1', headers: { mine: 'kept' } },
    ])
    await expect(redrive(null)).resolves.toEqual({ moved: 0, left: 0, skipped: [] })
    bury(['a.info'])
    await expect(redrive(null)).resolves.toMatchObject({ moved: 1 })
  })

  it('letters of one topic - the others stay, are found later, and none goes twice', async () => {
    const { kafka, sent, redrive } = withLetters(['a', 'b', 'a', 'b', 'a'])
    await expect(redrive('a')).resolves.toEqual({
      moved: 3,
      left: 2,
      skipped: [{ reason: 'it did not come from a', count: 2 }],
    })
    expect(kafka.committed.get(`${GROUP} dead/0`)).toBe(1)
    expect(kafka.notes.get(`${GROUP} dead/0`)).toBe('oslo-redriven:1,3')
    await expect(redrive(null)).resolves.toEqual({ moved: 2, left: 0, skipped: [] })
    expect(sent.map(({ value }) => value)).toEqual(['a 0', 'a 2', 'a 4', 'b 1', 'b 3'])
    expect(kafka.committed.get(`${GROUP} dead/0`)).toBe(5)
  })

  it('without its origin - left where it is, and moved by a later run that says where to', async () => {
    const { sent, redrive } = withLetters([null])
    await expect(redrive(null)).resolves.toMatchObject({ moved: 0, left: 1, skipped: [{ count: 1 }] })
    await expect(redrive(null, { to: 'there' })).resolves.toMatchObject({ moved: 1, left: 0 })
    expect(sent[0]?.topic).toBe('there')
  })

  it('limit and dry run', async () => {
    const { kafka, sent, redrive } = withLetters(['a', 'a', 'a'])
    await expect(redrive(null, { dryRun: true })).resolves.toEqual({ moved: 3, left: 3, skipped: [] })
    expect(kafka.commits).toEqual([])
    await expect(redrive(null, { limit: 2 })).resolves.toEqual({ moved: 2, left: 1, skipped: [] })
    expect(sent).toHaveLength(2)
    await expect(redrive(null)).resolves.toEqual({ moved: 1, left: 0, skipped: [] })
  })

  it('a copy the broker refuses - the run fails, what was stored is remembered, and the next run moves the rest', async () => {
    const { sent, redrive, refuseTo } = withLetters(['a', 'a', 'a'])
    refuseTo((value) => (value === 'a 1' ? new MessageDeliveryFailure('no', { attempts: 1 }) : undefined))
    await expect(redrive(null)).rejects.toThrow('no (dead letters moved before that: 2; the rest is where it was)')
    refuseTo(() => undefined)
    await expect(redrive(null)).resolves.toEqual({ moved: 1, left: 0, skipped: [] })
    expect(sent.map(({ value }) => value)).toEqual(['a 0', 'a 2', 'a 1'])
  })

  it('no such topic - says which option names it', async () => {
    const { kafka, redrive } = withLetters([])
    kafka.topics.delete('dead')
    await expect(redrive(null)).rejects.toThrow(/There is no topic dead: name the dead-letter topic/)
  })
})
