import { failureFacts } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { freePorts, type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { readAll, unique } from '../support/broker.ts'
import { listen, openReal, recordingLogger, send } from '../support/open-driver.ts'

/** What one healthy broker has in store for its clients, as our user sees it. The names are those of the situations,
 *  not of the client library's errors. */
export async function describeTraps(version: string): Promise<void> {
  const [ipv6 = 0] = await freePorts(1)
  const listeners = [{ name: 'IPV6', protocol: 'PLAINTEXT', port: ipv6, host: '::1' }] as const
  const broker = await skipOrFail(startBroker('kafka', { version, listeners }))
  describe.skipIf(broker === undefined)(`kafka ${version} traps`, () => {
    if (broker === undefined) return
    afterAll(async () => await broker.close())
    trapTests(broker, ipv6)
  })
}

function trapTests(broker: KafkaBroker, ipv6Port: number): void {
  it('trap 3, a topic nobody has made - listening and sending make it, and nothing is lost', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('made')
    const [received] = await Promise.all([
      listen(driver, topic, { pool: unique('pool') }),
      send(driver, `${unique('other')}.info`, 1),
    ])
    await send(driver, `${topic}.info`, 1)
    await received.until(1)
    expect(received.payloads).toEqual([1])
    await driver.close()
  })

  it('trap 8, a handler that always throws - the notification goes to the dead-letter topic, and the next one is handled', async () => {
    const topic = unique('poison')
    const dead = unique('dead')
    await broker.createTopics([dead])
    const logger = recordingLogger()
    const driver = await openReal(broker.url, {
      logger,
      options: { kafka_commit_mode: 'after', kafka_dead_letter_topic: dead },
    })
    const received = await listen(driver, topic, {
      pool: unique('pool'),
      onMessage: (message) => {
        if (message.message['payload'] === 'poison') void message.bury?.(failureFacts(1, new Error('always')))
        else message.acknowledge()
      },
    })
    await send(driver, `${topic}.info`, 'poison')
    await send(driver, `${topic}.info`, 'fine')
    await received.until(2)
    expect(received.payloads).toEqual(['poison', 'fine'])
    const [kept] = await readAll(broker, dead, 1)
    expect(kept).toContain('poison')
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(driver.health().status).toBe('ok')
    await driver.close()
  })

  it('trap 10, min.insync.replicas above the replica count - the broker does not hold to it, and the notification is stored once', async () => {
    const topic = unique('guard')
    await broker.createTopics([`${topic}.info`], { replicas: 1, config: { 'min.insync.replicas': '2' } })
    const driver = await openReal(broker.url)
    await send(driver, `${topic}.info`, 1)
    expect(await readAll(broker, `${topic}.info`, 1)).toHaveLength(1)
    await driver.close()
  })

  it('error row: unknown host - both sides reject at the deadline and name it', async () => {
    const driver = await openReal('kafka://no-such-host.invalid:9092/')
    const cause = { brokerCode: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) as string }
    const expected = { code: 'OSLO_MESSAGING_TIMEOUT', cause }
    await expect(send(driver, 't.info', 1, { timeoutMs: 2000 })).rejects.toMatchObject({
      ...expected,
      phase: 'connect',
      delivery: 'not-sent',
    })
    await expect(listen(driver, 't', { timeoutMs: 2000 })).rejects.toMatchObject(expected)
    await driver.close()
  })

  it('error row: send after disconnect - ClosedError, not-sent', async () => {
    const driver = await openReal(broker.url)
    await send(driver, `${unique('closed')}.info`, 1)
    await driver.close()
    await expect(send(driver, 't.info', 1)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_CLOSED',
      delivery: 'not-sent',
    })
  })

  it('error row: a batch of small messages over the limit - it is sent in smaller ones', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('batch')
    const text = 'x'.repeat(100_000)
    await Promise.all(Array.from({ length: 30 }, async () => await send(driver, `${topic}.info`, text)))
    expect(await readAll(broker, `${topic}.info`, 30)).toHaveLength(30)
    await driver.close()
  })

  it('error row: request over 100 MiB - a typed error for that one, and the others go on', async () => {
    const driver = await openReal(broker.url)
    const topic = unique('huge')
    await send(driver, `${topic}.info`, 0)
    const since = performance.now()
    const [huge, ...small] = await Promise.allSettled([
      send(driver, `${topic}.info`, 'x'.repeat(101 * 1024 * 1024), { timeoutMs: 30_000 }),
      send(driver, `${topic}.info`, 1, { timeoutMs: 30_000 }),
      send(driver, `${unique('beside')}.info`, 2, { timeoutMs: 30_000 }),
    ])
    expect(small.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect((huge as PromiseRejectedResult).reason).toMatchObject({
      brokerCode: 'RequestTooLarge',
      delivery: 'not-sent',
      retryable: false,
      message: expect.stringContaining('socket.request.max.bytes') as string,
    })
    expect(performance.now() - since).toBeLessThan(20_000)
    await driver.close()
  })

  it('IPv6 - brokers are reached by addresses in brackets, and by those that they tell', async () => {
    const driver = await openReal(`kafka://[::1]:1,[::1]:${ipv6Port}/`)
    const topic = unique('ipv6')
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 6)
    await received.until(1)
    expect(received.payloads).toEqual([6])
    expect(driver.health().status).toBe('ok')
    await driver.close()
  })

  it('IPv6 - an address where nobody listens is named as it stands in the URL', async () => {
    const driver = await openReal('kafka://[::1]:1/')
    await expect(send(driver, 't.info', 1, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      cause: { brokerCode: 'ECONNREFUSED', host: '[::1]:1' },
    })
    await driver.close()
  })
}
