import { afterAll, describe, expect, it } from 'vitest'
import { freePorts, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { unique } from './support/broker.ts'
import { duplicates, Load } from './support/load.ts'
import { listen, openReal, recordingLogger } from './support/open-driver.ts'
import { bearerLogin, unsignedToken } from './support/tokens.ts'

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

describe.skipIf(broker === undefined)('kafka tokens', () => {
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
})
