import { describe, expect, it } from 'vitest'
import { createDeferred, type IncomingNotification, isMessagingError } from '@oslo-messaging/core/driver'
import { ClientFault } from '../../src/port/client-port.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { eventually, listen, notification, openOver, recordingLogger, send } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const text = (payload: unknown): string => encodeRecord(notification(payload)).toString()
const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => text(from + n))
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const GROUP = 'oslo_messaging_consumer'

describe('listener', () => {
  it('no first record is lost - what is sent right after listen resolves is received', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    await send(driver, 't.info', 'first')
    await received.until(1)
    expect(received.messages[0]).toMatchObject({
      priority: 'info',
      orderingKey: 't.info/0',
      context: { request_id: 'req-1' },
      message: { payload: 'first', priority: 'INFO' },
    })
    await received.listener.close()
    await driver.close()
  })

  it('commits before the first notification of a batch is handed out', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const order: string[] = []
    kafka.onCommit = ([position]) => {
      order.push(`commit ${position?.offset}`)
    }
    const received = await listen(driver, 't', {
      onMessage: (notification) => {
        order.push(`handle ${String(notification.message['payload'])}`)
        notification.acknowledge()
      },
    })
    order.length = 0
    kafka.store('t.info', texts(3))
    await received.until(3)
    expect(order).toEqual(['commit 3', 'handle 0', 'handle 1', 'handle 2'])
    await received.listener.close()
    await driver.close()
  })

  it('a commit that fails - nothing of it is handed out, and it comes once after the recovery', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    let failures = 2
    kafka.onCommit = () => {
      if (failures-- > 0) throw new ClientFault('KafkaJSBrokerNotFound', 'Broker 1 not found in the cached metadata')
    }
    kafka.store('t.info', texts(5))
    await received.until(5)
    expect(received.payloads).toEqual(upTo(5))
    expect(kafka.consumers.length).toBeGreaterThan(1)
    await received.listener.close()
    await driver.close()
  })

  it('a commit whose answer is lost - the notifications are neither lost nor doubled', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    let losses = 1
    kafka.onCommit = (positions) => {
      if (losses-- <= 0) return
      for (const { topic, partition, offset } of positions)
        kafka.committed.set(`${GROUP} ${topic}/${partition}`, offset)
      throw new ClientFault('ECONNRESET', 'reset', { written: true })
    }
    kafka.store('t.info', texts(5))
    // The slice that was committed is known to be ours: nobody else can have it.
    await received.until(5)
    kafka.store('t.info', texts(2, 5))
    await received.until(7)
    expect(received.payloads).toEqual(upTo(7))
    await received.listener.close()
    await driver.close()
  })

  it('prefetch - never more handed out than asked for, and all in the end', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const open: IncomingNotification[] = []
    let most = 0
    const received = await listen(driver, 't', {
      prefetch: 4,
      onMessage: (message) => {
        open.push(message)
        most = Math.max(most, open.length)
        setImmediate(() => open.shift()?.acknowledge())
      },
    })
    kafka.store('t.info', texts(60))
    await received.until(60)
    expect(most).toBe(4)
    expect(received.payloads).toEqual(upTo(60))
    await received.listener.close()
    await driver.close()
  })

  it('high-water mark - a partition whose handlers are slow is paused and resumed; the other goes on', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 2)
    const driver = openOver(kafka, { options: { max_poll_records: 4, kafka_consumer_timeout: 0.05 } })
    const stuck: IncomingNotification[] = []
    const received = await listen(driver, 't', {
      prefetch: 10,
      onMessage: (message) => {
        if (message.orderingKey === 't.info/0') stuck.push(message)
        else message.acknowledge()
      },
    })
    kafka.store('t.info', texts(40), 0)
    await eventually(() => kafka.consumers[0]?.paused.has('t.info/0') ?? false, 'the pause')
    stuck.shift()?.acknowledge()
    kafka.store('t.info', texts(20, 100), 1)
    // One place is enough for the other partition: it takes turns with the slow one.
    const release = setInterval(() => stuck.shift()?.acknowledge(), 1)
    await received.until(60)
    clearInterval(release)
    expect(kafka.consumers[0]?.paused.size).toBe(0)
    const ofSlow = received.messages.filter(({ orderingKey }) => orderingKey === 't.info/0')
    expect(ofSlow.map(({ message }) => message['payload'])).toEqual(upTo(40))
    for (const message of stuck) message.acknowledge()
    await received.listener.close()
    await driver.close()
  })

  it('heartbeats go on while a partition waits for its handlers', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { max_poll_records: 2, kafka_consumer_timeout: 0.7 } })
    const received = await listen(driver, 't', { prefetch: 1, onMessage: () => {} })
    kafka.store('t.info', texts(10))
    await received.until(1)
    await eventually(() => (kafka.consumers[0]?.heartbeats ?? 0) >= 1, 'a heartbeat')
    await received.listener.close()
    await driver.close()
  })

  it.each([
    ['nothing', null],
    ['no JSON', 'hello'],
    ['another envelope version', '{"oslo.version": "9.0", "oslo.message": "{}"}'],
  ])('a record with %s says where it is, and the next one is handled', async (_what, value) => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    kafka.store('t.info', [text(0), value, text(1)])
    await received.until(3)
    expect(received.payloads).toEqual([0, undefined, 1])
    expect(received.messages.map(({ unreadable }) => unreadable?.error)).toEqual([
      undefined,
      expect.objectContaining({ message: expect.stringContaining('t.info/0@1') as string }),
      undefined,
    ])
    await received.listener.close()
    await driver.close()
  })

  it('trap 8, a crash of the client - the driver starts a new session and goes on without loss or double', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    kafka.store('t.info', texts(3))
    await received.until(3)
    kafka.consumers[0]?.crash(new ClientFault('UNKNOWN_SERVER_ERROR', 'The server experienced an unexpected error'))
    const [component] = driver.health().components
    expect(component).toMatchObject({ state: 'recovering' })
    expect(component?.reason).toContain('UNKNOWN_SERVER_ERROR')
    kafka.store('t.info', texts(3, 3))
    await received.until(6)
    expect(received.payloads).toEqual(upTo(6))
    expect(kafka.consumers.map(({ options }) => options.formerMember)).toEqual([undefined, 'member-0'])
    await eventually(() => driver.health().status === 'ok', 'health ok')
    await received.listener.close()
    await driver.close()
  })

  it.each(['KafkaJSSASLAuthenticationError', 'TOPIC_AUTHORIZATION_FAILED', 'INCONSISTENT_GROUP_PROTOCOL'])(
    'P11 %s before anything was received - closed rejects, typed, and health says failed',
    async (type) => {
      const kafka = new ScriptedKafka()
      const driver = openOver(kafka)
      const received = await listen(driver, 't')
      kafka.onJoin = () => {
        throw new ClientFault(type, 'refused')
      }
      kafka.consumers[0]?.crash(new ClientFault('ECONNRESET', 'reset'))
      const error: unknown = await received.listener.closed.catch((reason: unknown) => reason)
      expect(isMessagingError(error)).toBe(true)
      expect(error).toMatchObject({ retryable: false, brokerCode: type })
      expect(driver.health().status).toBe('failed')
      await driver.close()
    },
  )

  it.each(['SASL_AUTHENTICATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED'])(
    'P11 %s of a listener at work - it keeps trying slowly, health says why, and it goes on when it may again',
    async (type) => {
      const kafka = new ScriptedKafka()
      const logger = recordingLogger()
      // Pauses are drawn at random from nothing on: here each is half of the longest.
      const driver = openOver(kafka, { logger, random: () => 0.5 })
      const received = await listen(driver, 't')
      kafka.store('t.info', texts(1))
      await received.until(1)
      let attempts = 0
      kafka.onJoin = () => {
        attempts += 1
        if (attempts <= 2) throw new ClientFault(type, 'taken away')
      }
      kafka.consumers[0]?.crash(new ClientFault(type, 'taken away'))
      kafka.store('t.info', texts(1, 1))
      const [component] = driver.health().components
      expect(component).toMatchObject({ state: 'recovering', reason: expect.stringContaining(type) as string })
      const since = performance.now()
      await received.until(2)
      expect(performance.now() - since).toBeGreaterThan(900)
      expect(received.payloads).toEqual(upTo(2))
      expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
      await eventually(() => driver.health().status === 'ok', 'health ok')
      await driver.close()
    },
  )

  it('a fault that a new session would meet again - fails at once instead of a crash loop', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    kafka.consumers[0]?.crash(new ClientFault('CodecMissing', 'Compression lz4 needs the package lz4-napi'))
    await expect(received.listener.closed).rejects.toThrow(/lz4-napi/)
    expect(kafka.consumers).toHaveLength(1)
    expect(driver.health().status).toBe('failed')
    await driver.close()
  })

  it('trap 1, a join that fails - listen rejects instead of pretending', async () => {
    const kafka = new ScriptedKafka()
    kafka.onJoin = () => {
      throw new ClientFault('GROUP_AUTHORIZATION_FAILED', 'no')
    }
    const driver = openOver(kafka)
    await expect(listen(driver, 't')).rejects.toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION' })
    expect(driver.health().components).toEqual([])
    await driver.close()
  })

  it('a dead broker - listen rejects at the deadline with the reason', async () => {
    const kafka = new ScriptedKafka()
    kafka.onJoin = () => {
      throw new ClientFault('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9092')
    }
    const driver = openOver(kafka)
    const error: unknown = await listen(driver, 't', { timeoutMs: 200 }).catch((reason: unknown) => reason)
    expect(isMessagingError(error, 'TIMEOUT')).toBe(true)
    expect((error as Error).cause).toMatchObject({ brokerCode: 'ECONNREFUSED' })
    await driver.close()
  })

  it('stop - hands back what was committed and not handed out', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't', { prefetch: 3, onMessage: () => {} })
    kafka.store('t.info', texts(10))
    await received.until(3)
    await received.listener.stop()
    expect(kafka.committed.get(`${GROUP} t.info/0`)).toBe(3)
    await received.listener.close()
    const rest = await listen(driver, 't')
    await rest.until(7)
    expect([...received.payloads, ...rest.payloads]).toEqual(upTo(10))
    await rest.listener.close()
    await driver.close()
  })

  it('pools - the name of the pool is the consumer group, and consumer_group that of the others', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { consumer_group: 'mine' } })
    const listeners = await Promise.all([listen(driver, 't', { pool: 'audit' }), listen(driver, 't')])
    expect(kafka.consumers.map(({ options }) => options.group).toSorted()).toEqual(['audit', 'mine'])
    await send(driver, 't.info', 1)
    await Promise.all(listeners.map(async (received) => await received.until(1)))
    await driver.close()
  })

  it.each([
    { reset: 'latest', gets: ['new'], warns: 1 },
    { reset: 'earliest', gets: ['old', 'new'], warns: 0 },
  ])('auto_offset_reset $reset - gets $gets and says what it skips', async ({ reset, gets, warns }) => {
    const kafka = new ScriptedKafka()
    const logger = recordingLogger()
    kafka.store('t.info', [text('old')])
    const driver = openOver(kafka, { logger, options: { auto_offset_reset: reset } })
    const received = await listen(driver, 't')
    await send(driver, 't.info', 'new')
    await received.until(gets.length)
    expect(received.payloads).toEqual(gets)
    const lines = logger.lines.filter(({ level }) => level === 'warn')
    expect(lines).toHaveLength(warns)
    if (warns > 0) expect(lines[0]?.fields).toMatchObject({ skipped: 1, partition: 't.info/0' })
    await received.listener.close()
    await driver.close()
  })

  it('the start is fixed - a group that has read nothing yet still begins where it first listened', async () => {
    const kafka = new ScriptedKafka()
    kafka.store('t.info', texts(5))
    const first = openOver(kafka)
    const received = await listen(first, 't')
    await received.listener.close()
    await first.close()
    kafka.store('t.info', ['between'].map(text))
    const second = openOver(kafka)
    const again = await listen(second, 't')
    await again.until(1)
    expect(again.payloads).toEqual(['between'])
    await second.close()
  })

  it('topic deleted and made again - read from its beginning, although it holds as much as was read before', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const received = await listen(driver, 't')
    await send(driver, 't.info', 'old')
    await received.until(1)
    kafka.createTopic('t.info')
    // The broker forgets the positions of a deleted topic, and the client joins again when it finds it gone.
    kafka.committed.clear()
    kafka.store('t.info', ['new'].map(text))
    kafka.rebalance(GROUP)
    await received.until(2)
    expect(received.payloads).toEqual(['old', 'new'])
    await driver.close()
  })

  it('rebalance - partitions move without loss or double', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 2)
    const driver = openOver(kafka)
    const one = await listen(driver, 't')
    kafka.store('t.info', texts(5), 0)
    kafka.store('t.info', texts(5, 5), 1)
    await one.until(10)
    const two = await listen(driver, 't')
    kafka.store('t.info', texts(5, 10), 0)
    kafka.store('t.info', texts(5, 15), 1)
    await eventually(() => one.messages.length + two.messages.length === 20, '20 notifications')
    await two.listener.close()
    kafka.store('t.info', texts(5, 20), 1)
    await eventually(() => one.messages.length + two.messages.length === 25, '25 notifications')
    const all = [...one.payloads, ...two.payloads].map(Number).sort((a, b) => a - b)
    expect(all).toEqual(upTo(25))
    expect(two.messages.length).toBeGreaterThan(0)
    await driver.close()
  })

  it('a batch under way when the partition is taken away is still handed out: it is committed', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const open: IncomingNotification[] = []
    const received = await listen(driver, 't', { prefetch: 1, onMessage: (message) => open.push(message) })
    kafka.store('t.info', texts(3))
    await received.until(1)
    kafka.consumers[0]?.assign([])
    for (let n = 0; n < 3; n += 1) {
      await received.until(n + 1)
      open.shift()?.acknowledge()
    }
    expect(received.payloads).toEqual(upTo(3))
    expect(received.messages.every(({ signal }) => signal === undefined)).toBe(true)
    await driver.close()
  })

  it('kafka_vhost_mode both - reads the topic with and without the virtual host', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { url: 'kafka://broker/v', options: { kafka_vhost_mode: 'both' } })
    const received = await listen(driver, 't')
    kafka.store('t.info', [text('plain')])
    await send(driver, 't.info', 'own')
    await received.until(2)
    expect(new Set(received.payloads)).toEqual(new Set(['own', 'plain']))
    expect(received.messages.every(({ priority }) => priority === 'info')).toBe(true)
    await driver.close()
  })

  it.each([
    { mode: 'append', plain: 3, warns: true },
    { mode: 'append', plain: 0, warns: false },
    { mode: 'both', plain: 3, warns: false },
    { mode: 'compat', plain: 3, warns: false },
  ])(
    'P34 kafka_vhost_mode $mode, nothing at the own topic and $plain stored at the plain one - warns of those it would never meet: $warns',
    async ({ mode, plain, warns }) => {
      const kafka = new ScriptedKafka()
      const logger = recordingLogger()
      kafka.store('t.info', texts(plain))
      const driver = openOver(kafka, { url: 'kafka://broker/v', options: { kafka_vhost_mode: mode }, logger })
      const received = await listen(driver, 't')
      const advice = logger.lines.filter(({ message }) => message.includes('kafka_vhost_mode'))
      expect(advice.map(({ level, fields }) => ({ level, ...fields }))).toEqual(
        warns ? [{ level: 'warn', topic: 't.info.v', unread: 't.info', stored: 3 }] : [],
      )
      await received.listener.close()
      // The topic exists now, and somebody may send there: no advice any more.
      logger.lines.length = 0
      await (await listen(driver, 't')).listener.close()
      expect(logger.lines.filter(({ message }) => message.includes('kafka_vhost_mode'))).toEqual([])
      await driver.close()
    },
  )

  it('RPC is refused by name, with the remedy', async () => {
    const driver = openOver(new ScriptedKafka())
    await expect(driver.send()).rejects.toThrow(/notify-only: set \[DEFAULT\] transport_url/)
    await expect(driver.listen()).rejects.toMatchObject({ code: 'OSLO_MESSAGING_UNSUPPORTED', capability: 'rpc' })
    await driver.close()
  })
})

it('background commits (enable_auto_commit) - nothing is waited for, and closing commits', async () => {
  const kafka = new ScriptedKafka()
  const driver = openOver(kafka, { options: { enable_auto_commit: true } })
  const received = await listen(driver, 't')
  const gate = createDeferred<void>()
  kafka.onCommit = async () => await gate.promise
  kafka.store('t.info', texts(3))
  await received.until(3)
  gate.resolve()
  await received.listener.close()
  expect(kafka.committed.get(`${GROUP} t.info/0`)).toBe(3)
  await driver.close()
})
