import { Deadline, Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { FakeBroker } from '../support/fake-broker.ts'
import { callOptions, openDriver } from '../support/open-driver.ts'

it('C18 warning on many waiters - when more than an eighth of those that may wait do, then at each doubling; 64 at once are nothing to speak of', async () => {
  const warnings: string[] = []
  const ignore = (): void => {}
  const logger = { debug: ignore, info: ignore, error: ignore, warn: (text: string) => void warnings.push(text) }
  const driver = openDriver(new FakeBroker(), { logger, settings: { maxPendingCalls: 800 } })
  const stop = new AbortController()
  const call = async (): Promise<unknown> => {
    const options = callOptions({ deadline: Deadline.after(60_000, { signal: stop.signal }) })
    const request = { context: {}, message: { method: 'm', args: {} } }
    return await driver.send(new Target({ topic: 'nobody' }), request, options).catch((error: unknown) => error)
  }
  const calls = Array.from({ length: 10 }, call)
  const waiting = () => driver.health().components.some(({ kind }) => kind === 'reply-path')
  await expect.poll(waiting).toBe(true)
  calls.push(...Array.from({ length: 90 }, call))
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual([])
  calls.push(...Array.from({ length: 305 }, call))
  await expect.poll(() => warnings.length).toBe(3)
  expect(warnings.map((text) => Number.parseInt(text, 10))).toEqual([101, 201, 401])
  stop.abort(new Error('enough'))
  expect(await Promise.all(calls)).toEqual(calls.map(() => stop.signal.reason as Error))
  await driver.close()
})
