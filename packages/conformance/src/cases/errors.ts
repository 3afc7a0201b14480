import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { TransportURL } from '@oslo-messaging/core'
import type { Driver, DriverCapabilities } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import type { ConformanceCase } from '../case.ts'
import type { Harness } from '../harness.ts'
import { echo } from '../messages.ts'

const ROUNDS = 3

/** What errors, reports and prints may show. */
export const errorCases: readonly ConformanceCase[] = [
  {
    name: 'errors - capabilities are plain data that agree with each other',
    needs: [],
    async run({ capabilities }) {
      const names = Object.keys(capabilities).filter((name) => name.startsWith('rpc')) as (keyof DriverCapabilities)[]
      if (!capabilities.rpc) for (const name of names) assert.equal(capabilities[name], false, `${name} without rpc`)
      if (!capabilities.notifications)
        for (const name of ['requeue', 'pools', 'storesBeforeListeners'] as const)
          assert.equal(capabilities[name], false, `${name} without notifications`)
      assert.deepEqual(structuredClone(capabilities), { ...capabilities }, 'capabilities are data')
      if (capabilities.notificationAcknowledgement === 'before-handler')
        assert.equal(capabilities.requeue, false, 'what is committed before the handler cannot be requeued')
    },
  },
  {
    name: 'errors - a random password of the URL is in no error, health report, log line or print',
    needs: ['knob secret'],
    async run(harness) {
      const round = async (): Promise<void> => {
        // Characters that are escaped in URLs, and those that are not: neither form may show.
        const password = `${randomBytes(6).toString('hex')}@/:%${randomBytes(6).toString('hex')}`
        const shown = await everythingShown(harness, password)
        assert.ok(shown.length > 0, 'something was shown')
        for (const form of [password, encodeURIComponent(password), password.slice(-12), password.slice(0, 12)]) {
          for (const text of shown)
            assert.ok(!text.includes(form), `a password shows in: ${text.replaceAll(form, '***')}`)
        }
      }
      await Promise.all(Array.from({ length: ROUNDS }, round))
    },
  },
]

/** Opens a driver with the password, uses it, and gives all the text that came of it. */
async function everythingShown(harness: Harness, password: string): Promise<readonly string[]> {
  const { definition, url } = harness.knobs.secret!
  const shown: string[] = []
  const show = (value: unknown): void => {
    shown.push(inspect(value, { depth: 10, showHidden: true }))
    shown.push(JSON.stringify(value) ?? '')
    if (value instanceof Error) {
      shown.push(value.message, value.stack ?? '')
      if (value.cause !== undefined) show(value.cause)
    }
  }
  const log = (message: string, fields?: unknown): void => {
    shown.push(message)
    show(fields)
  }
  const parsed = TransportURL.parse(url(password))
  show(parsed)
  let driver: Driver
  try {
    driver = await definition.open(
      parsed,
      createDriverContext(definition, { logger: { debug: log, info: log, warn: log, error: log } }),
    )
  } catch (error) {
    show(error)
    return shown
  }
  const deadline = harness.deadline(1500)
  const target = harness.target({ server: 'a' })
  try {
    if (definition.capabilities.rpc) {
      await driver.listen(target, { deadline, prefetch: 1, onMessage: echo }).then(show, show)
      await harness.call(driver, target, 'm', {}, { deadline, retries: 1 }).then(show, show)
    }
    if (definition.capabilities.notifications) {
      await harness.notify(driver, target, 'info', {}, { deadline }).then(show, show)
      show(driver.health())
    }
    show(driver)
    show(definition)
  } finally {
    await harness.soon(driver.close({ signal: AbortSignal.abort() }).then(show, show), 'end of close')
  }
  show(driver.health())
  return shown
}
