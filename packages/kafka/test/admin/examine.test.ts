import { describe, expect, it } from 'vitest'
import { examine, judgeTopic } from '../../src/admin/examine.ts'
import { ClientFault } from '../../src/port/client-port.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const partition = (replicas: number, inSync: number, hasLeader = true) => ({
  partition: 0,
  hasLeader,
  replicas,
  inSync,
})
const judged = (partitions: readonly ReturnType<typeof partition>[], settings: Readonly<Record<string, string>>) =>
  judgeTopic('n.info', { partitions, settings }).map(({ severity, check, what }) => `${severity} ${check}: ${what}`)
const none = { topics: [], codec: 'none', tryCodec: async () => {} } as const

describe('an examination of Kafka', () => {
  it.each([
    { of: [partition(3, 3)], least: '2', says: ['ok topics: n.info: 1 partitions, 3 copies, min.insync.replicas 2'] },
    { of: [partition(1, 1)], least: '1', says: ['warning min.insync.replicas: n.info has one copy'] },
    {
      of: [partition(3, 3)],
      least: '3',
      says: ['warning min.insync.replicas: n.info: min.insync.replicas is 3 of 3 copies'],
    },
    {
      of: [partition(3, 3)],
      least: '1',
      says: ['warning min.insync.replicas: n.info: min.insync.replicas is 1 of 3 copies'],
    },
    {
      of: [partition(3, 1)],
      least: '2',
      says: ['error min.insync.replicas: n.info: 1 copies are in sync, and min.insync.replicas is 2'],
    },
    { of: [partition(3, 2)], least: '2', says: ['warning partitions: n.info: 2 of 3 copies are in sync'] },
    {
      of: [partition(3, 3, false)],
      least: '2',
      says: ['error partitions: n.info: 1 of 1 partitions have no leader'],
    },
  ])('a topic with $of and min.insync.replicas = $least', ({ of, least, says }) => {
    expect(judged(of, { 'min.insync.replicas': least })).toEqual(says)
  })

  it('a topic with two copies - whatever its settings, the advice is a third one and not back and forth', () => {
    for (const least of ['1', '2'])
      expect(
        judgeTopic('n.info', { partitions: [partition(2, 2)], settings: { 'min.insync.replicas': least } }),
      ).toMatchObject([{ fix: 'Use a replication factor of 3 with min.insync.replicas = 2.' }])
  })

  it('a compacted topic - notifications without a key would be refused', () => {
    expect(judged([partition(3, 3)], { 'min.insync.replicas': '2', 'cleanup.policy': 'compact' })).toEqual([
      'warning topics: n.info is compacted',
    ])
  })

  it.each([
    { auto: 'true', severity: 'note', says: 'There is no topic a.info, b.info yet' },
    { auto: 'false', severity: 'error', says: 'There is no topic a.info, b.info, and the broker makes none' },
  ])('topics that are missing with auto.create.topics.enable = $auto', async ({ auto, severity, says }) => {
    const admin = {
      ...new ScriptedKafka().createAdmin(),
      brokerSettings: async () => ({ 'auto.create.topics.enable': auto, 'num.partitions': '1' }),
      topicFacts: async () => await Promise.reject(new ClientFault('UNKNOWN_TOPIC_OR_PARTITION', 'none')),
    }
    const found = await examine(admin, { ...none, topics: ['a.info', 'b.info'] })
    expect(found).toContainEqual(expect.objectContaining({ severity, what: says }))
    expect(found.some(({ check }) => check === 'auto-create')).toBe(auto === 'true')
  })

  it('a codec whose package is missing, and a user that may not ask - each is a finding', async () => {
    const admin = {
      ...new ScriptedKafka().createAdmin(),
      brokerSettings: async () => await Promise.reject(new ClientFault('CLUSTER_AUTHORIZATION_FAILED', 'no')),
    }
    const tryCodec = async (): Promise<never> => await Promise.reject(new Error('Compression lz4 needs a package'))
    const found = await examine(admin, { topics: [], codec: 'lz4', tryCodec })
    expect(found.map(({ severity, check }) => [severity, check])).toEqual([
      ['error', 'codecs'],
      ['note', 'topics'],
      ['ok', 'clock'],
    ])
  })

  it.each([
    { by: -3_600_000, severity: 'warning', says: /are 3600 s apart$/ },
    { by: 3_600_000, severity: 'warning', says: /are 3600 s apart$/ },
    { by: 0, severity: 'ok', says: /at most 0 ms apart$/ },
  ])("a controller's clock that is $by ms off", async ({ by, severity, says }) => {
    const admin = {
      ...new ScriptedKafka().createAdmin(),
      controllerClock: async () => (await Promise.resolve(Date.now())) + by,
    }
    const [clock] = await examine(admin, none)
    expect(clock).toMatchObject({ check: 'clock', severity, what: expect.stringMatching(says) as string })
  })

  it('a Kafka that does not tell the time - is said, with what does', async () => {
    const admin = {
      ...new ScriptedKafka().createAdmin(),
      controllerClock: async () => await Promise.reject(new ClientFault('UNSUPPORTED_VERSION', 'no')),
    }
    const [clock] = await examine(admin, none)
    expect(clock).toMatchObject({
      check: 'clock',
      severity: 'note',
      what: 'What time it is for Kafka is not known (UNSUPPORTED_VERSION)',
    })
  })
})
