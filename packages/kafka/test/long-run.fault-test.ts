import { afterAll, describe, expect, it } from 'vitest'
import { freePorts, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { encodeRecord } from '../src/wire/record.ts'
import { plainClient, unique, withAdmin } from './support/broker.ts'
import { duplicates, Load } from './support/load.ts'
import { listen, notification, openReal, recordingLogger, send } from './support/open-driver.ts'
import { bearerLogin, unsignedToken } from './support/tokens.ts'

/** Both tests take their five minutes at the same time. */
const LIMIT = { timeout: 400_000 }
const TOKEN_MS = 60_000
const RUN_MS = 5 * 60_000
const [port = 0] = await freePorts(1)
const broker = await skipOrFail(
  startBroker('kafka', {
    listeners: [{ name: 'SASL_PLAINTEXT', protocol: 'SASL_PLAINTEXT', port }],
    config: {
      'sasl.enabled.mechanisms': 'OAUTHBEARER',
      'listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config': bearerLogin,
    },
  }),
)

describe.skipIf(broker === undefined).concurrent('kafka, minutes on end', () => {
  afterAll(async () => await broker?.close())

  it(
    'P36 tokens of 60 s, a run of 5 minutes - nothing lost, no authentication error',
    { timeout: 400_000 },
    async () => {
      const logger = recordingLogger()
      let asked = 0
      const driver = await openReal(`kafka://127.0.0.1:${port}/`, {
        logger,
        options: { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'OAUTHBEARER' },
        oauthBearerToken: async () => {
          asked += 1
          return await Promise.resolve({ value: unsignedToken(TOKEN_MS) })
        },
      })
      const topic = unique('tokens')
      const received = await listen(driver, topic, { pool: unique('pool') })
      const atStart = asked
      const load = new Load(driver, `${topic}.info`, { callers: 4, perSec: 50, timeoutMs: () => 10_000 })
      await new Promise((resolve) => setTimeout(resolve, RUN_MS))
      await load.stop()
      await received.until(load.resolved.size, 20_000)
      console.log(`tokens of 60 s over 5 min: ${load.resolved.size} stored and received, ${asked} tokens asked for`)
      expect(load.rejected.size).toBe(0)
      expect(duplicates(received.payloads)).toBe(0)
      expect(new Set(received.payloads)).toEqual(load.resolved)
      // Each connection asks anew before its session ends.
      expect(asked).toBeGreaterThanOrEqual(atStart + 5)
      expect(logger.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
      await driver.close()
    },
  )

  it('partitions added to a topic - noticed within five minutes and read from their beginning', LIMIT, async () => {
    const logger = recordingLogger()
    const driver = await openReal(broker?.url ?? '', { logger })
    const topic = unique('grown')
    await broker?.createTopics([`${topic}.info`])
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 'before')
    await received.until(1)
    await withAdmin({ hosts: broker?.hosts ?? [] }, async (admin) => {
      await admin.createPartitions({ topicPartitions: [{ topic: `${topic}.info`, count: 2 }] })
    })
    // Another program, which knows of the second partition at once.
    const producer = plainClient({ hosts: broker?.hosts ?? [] }).producer()
    await producer.connect()
    for (let n = 0; n < 3; n += 1) {
      const value = encodeRecord(notification(n))
      await producer.send({ topic: `${topic}.info`, messages: [{ partition: 1, value }] })
    }
    await producer.disconnect()
    const since = performance.now()
    await received.until(4, RUN_MS + 20_000)
    console.log(`new partition: read after ${Math.round((performance.now() - since) / 1000)} s`)
    expect(received.payloads).toEqual(['before', 0, 1, 2])
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([])
    await driver.close()
  })
})
