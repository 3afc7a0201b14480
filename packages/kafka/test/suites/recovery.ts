import { afterEach, describe, expect, it, vi } from 'vitest'
import { type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { Driver, IncomingNotification } from '@oslo-messaging/core/driver'
import { plainClient, unique, withAdmin } from '../support/broker.ts'
import { createClient } from '../support/client.ts'
import { JOIN_GROUP, loseAnswers, OFFSET_COMMIT } from '../support/lose-answers.ts'
import { eventually, listen, openReal, recordingLogger, send } from '../support/open-driver.ts'
import { useDriver } from '../support/suite-driver.ts'

/** What a broker does to its clients when it, its topics or its groups come and go. Breaks its broker, so it has one of
 *  its own. */
export async function describeRecovery(version: string): Promise<void> {
  const broker = await skipOrFail(startBroker('kafka', { version }))
  describe.skipIf(broker === undefined)(`kafka ${version} recovery`, () => {
    if (broker !== undefined) recoveryTests(broker)
  })
}

function recoveryTests(broker: KafkaBroker): void {
  const { version } = broker
  let driver: Driver
  useDriver(broker, (opened) => (driver = opened))
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('broker down at start - both sides wait and begin by themselves', async () => {
    const topic = unique('down')
    await broker.stop()
    const own = await openReal(broker.url)
    const listening = listen(own, topic, { pool: unique('pool'), timeoutMs: 40_000 })
    const sent = send(own, `${topic}.info`, 1, { timeoutMs: 40_000 })
    await eventually(() => own.health().components.some(({ state }) => state === 'recovering'), 'recovering')
    await broker.start()
    await Promise.all([listening, sent])
    const received = await listening
    await send(own, `${topic}.info`, 2)
    await received.until(1)
    await own.close()
  })

  it('error row: kill -9 during send and consume, and restart - every resolved notification is stored and received once', async () => {
    const topic = unique('kill')
    const received = await listen(driver, topic, { pool: unique('pool') })
    const stopping = new AbortController()
    const resolved: number[] = []
    const rejected: unknown[] = []
    let next = 0
    const workers = Array.from({ length: 8 }, async () => {
      while (!stopping.signal.aborted) {
        const n = next++
        await send(driver, `${topic}.info`, n, { timeoutMs: 30_000 }).then(
          () => resolved.push(n),
          (error: unknown) => rejected.push(error),
        )
      }
    })
    await received.until(200)
    await broker.kill()
    await eventually(() => driver.health().status === 'degraded', 'degraded', 10_000)
    await broker.start()
    const before = received.messages.length
    await received.until(before + 500, 40_000)
    stopping.abort()
    await Promise.all(workers)
    const got = (): Set<unknown> => new Set(received.payloads)
    await eventually(() => resolved.every((n) => got().has(n)), 'every resolved notification', 20_000)
    expect(got().size).toBe(received.messages.length)
    expect(rejected).toEqual([])
    await eventually(() => driver.health().status === 'ok', 'health ok', 10_000)
    await received.listener.close()
  })

  it('error row: kill -9 and the broker stays away - sends reject at their deadline, health says recovering, why and since when', async () => {
    const topic = unique('away')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 1)
    await received.until(1)
    const killedAt = Date.now()
    await broker.kill()
    const since = performance.now()
    await expect(send(driver, `${topic}.info`, 2, { timeoutMs: 2000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: expect.stringMatching(/^(not-sent|unknown)$/) as string,
      cause: { brokerCode: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET|KafkaJSConnection\w+)$/) as string },
    })
    expect(performance.now() - since).toBeLessThan(2500)
    await eventually(
      () => driver.health().components.every(({ state }) => state === 'recovering'),
      'both sides recovering',
      15_000,
    )
    for (const { reason, sinceMs } of driver.health().components) {
      expect(reason).toMatch(/ECONN|Connection/)
      expect(sinceMs).toBeGreaterThanOrEqual(killedAt)
    }
    await broker.start()
    await send(driver, `${topic}.info`, 3, { timeoutMs: 30_000 })
    await eventually(() => received.payloads.includes(3), 'the notification after the return', 30_000)
    await received.listener.close()
  })

  it('frozen broker - a send rejects at its deadline, and all goes on after the thaw', async () => {
    const topic = unique('freeze')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 0)
    await broker.freeze()
    const since = performance.now()
    await expect(send(driver, `${topic}.info`, 1, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'confirm',
      delivery: 'unknown',
    })
    expect(performance.now() - since).toBeLessThan(1500)
    await broker.thaw()
    await send(driver, `${topic}.info`, 2, { timeoutMs: 20_000 })
    await eventually(() => received.payloads.includes(2), 'the notification after the thaw', 20_000)
    await received.listener.close()
  })

  it('disconnected network - cut connections lose and double nothing', async () => {
    const proxy = await broker.proxy()
    const topic = unique('cut')
    const own = await openReal(broker.urlFor({ via: [proxy] }))
    const received = await listen(own, topic, { pool: unique('pool') })
    let next = 0
    for (let round = 0; round < 10; round += 1) {
      const sent = Array.from(
        { length: 50 },
        async () => await send(own, `${topic}.info`, next++, { timeoutMs: 20_000 }),
      )
      await Promise.race(sent)
      proxy.reset()
      await Promise.all(sent)
    }
    await received.until(500, 30_000)
    expect(new Set(received.payloads).size).toBe(500)
    expect(received.messages.length).toBe(500)
    await own.close()
    await proxy.close()
  })

  it.each([1, 3])(
    'disconnected network, behind a commit and behind the next %i requests to join - the listener is back long before a session timeout of 30 s, and loses and doubles nothing',
    async (joins) => {
      const proxy = await broker.proxy()
      const lost = loseAnswers(proxy.port)
      const topic = unique('lost-join')
      const own = await openReal(broker.urlFor({ via: [proxy] }))
      try {
        const pool = unique('pool')
        const received: unknown[] = []
        const onMessage = (message: IncomingNotification): void => {
          received.push(message.message['payload'])
          message.acknowledge()
        }
        const until = async (count: number): Promise<void> =>
          await eventually(() => received.length >= count, `${count} notifications`, 12_000)
        await broker.createTopics([`${topic}.info`], { partitions: 2 })
        await listen(own, topic, { pool, onMessage })
        await send(driver, `${topic}.info`, 1)
        await until(1)
        // The group waits for whoever is to come, as long as it has a member.
        const other = await listen(driver, topic, { pool, onMessage })
        lost.begin([
          [OFFSET_COMMIT, 1],
          [JOIN_GROUP, joins],
        ])
        for (let n = 2; n <= 20; n += 1) await send(driver, `${topic}.info`, n)
        await eventually(() => lost.left() === 0, 'the loss of those answers', 20_000)
        await until(20)
        expect(received.toSorted((one, two) => Number(one) - Number(two))).toEqual(
          Array.from({ length: 20 }, (_, n) => n + 1),
        )
        await other.listener.close()
      } finally {
        await own.close()
        await proxy.close()
      }
    },
  )

  it('trap 11, topic deleted and made again - the listener reads the new one', async () => {
    const topic = unique('again')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 'old')
    await received.until(1)
    await withAdmin(broker, async (admin) => await admin.deleteTopics({ topics: [`${topic}.info`] }))
    await send(driver, `${topic}.info`, 'new', { timeoutMs: 20_000 })
    await eventually(() => received.payloads.includes('new'), 'the notification of the new topic', 40_000)
    await received.listener.close()
  })

  it('group deleted - the listener joins again and goes on', async () => {
    const topic = unique('group')
    const pool = unique('pool')
    const logger = recordingLogger()
    const own = await openReal(broker.url, { logger })
    const received = await listen(own, topic, { pool })
    await send(own, `${topic}.info`, 1)
    await received.until(1)
    await received.listener.close()
    await withAdmin(broker, async (admin) => await admin.deleteGroups([pool]))
    const again = await listen(own, topic, { pool })
    await send(own, `${topic}.info`, 2)
    await again.until(1)
    expect(again.payloads).toEqual([2])
    await own.close()
  })

  it('error row: unknown topic with auto-creation off - a typed error for those notifications only', async () => {
    const strict = await startBroker('kafka', { version, config: { 'auto.create.topics.enable': 'false' } })
    const own = await openReal(strict.url)
    const known = unique('known')
    await strict.createTopics([`${known}.info`])
    const [missing, fine] = await Promise.allSettled([
      send(own, `${unique('unknown')}.info`, 1, { timeoutMs: 20_000 }),
      send(own, `${known}.info`, 1),
    ])
    expect(fine.status).toBe('fulfilled')
    expect((missing as PromiseRejectedResult).reason).toMatchObject({
      brokerCode: 'UNKNOWN_TOPIC_OR_PARTITION',
      delivery: 'not-sent',
    })
    await expect(listen(own, unique('unknown'), { timeoutMs: 2000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      cause: { brokerCode: 'UNKNOWN_TOPIC_OR_PARTITION' },
    })
    await own.close()
    await strict.close()
  })

  it('trap 2 - a produce request for a partition that does not exist says so', async () => {
    const topic = unique('partition')
    await broker.createTopics([topic])
    const brokers = broker.hosts.map(({ host, port }) => `${host}:${port}`)
    const client = await createClient(
      { brokers, clientId: 'test', tls: null, renewTls: () => null, sasl: null },
      recordingLogger(),
    )
    const producer = client.createProducer({ compression: 'none', idempotent: true, timeoutMs: 5000 })
    await producer.connect()
    await expect(
      producer.produce({ topic, partition: 7, records: [{ value: Buffer.from('x') }] }),
    ).rejects.toMatchObject({
      type: 'PartitionMissing',
      partition: 7,
    })
    await producer.disconnect()
  })

  it('other assigner in the group - listen rejects with what to do', async () => {
    const topic = unique('assigner')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`])
    const { AssignerProtocol, PartitionAssigners } = await import('kafkajs')
    const other = plainClient(broker).consumer({
      groupId: pool,
      maxWaitTimeInMs: 100,
      partitionAssigners: [
        (context) => ({
          ...PartitionAssigners.roundRobin(context),
          name: 'strange',
          protocol: ({ topics }) => ({
            name: 'strange',
            metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
          }),
        }),
      ],
    })
    await other.connect()
    await other.subscribe({ topics: [`${topic}.info`] })
    const joined = new Promise((resolve) => other.on(other.events.GROUP_JOIN, resolve))
    await other.run({ eachMessage: async () => await Promise.resolve() })
    await joined
    await expect(listen(driver, topic, { pool })).rejects.toMatchObject({
      brokerCode: 'INCONSISTENT_GROUP_PROTOCOL',
      retryable: false,
    })
    await other.disconnect()
  })
}
