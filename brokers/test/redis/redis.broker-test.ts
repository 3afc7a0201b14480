import { afterAll, describe, expect, it } from 'vitest'

import { answersRedis } from '../../src/probe.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const redis = await skipOrFail(startBroker('redis'))
afterAll(() => redis?.close())

describe.skipIf(redis === undefined)('Redis', () => {
  it('answers, not after a kill, and again after a start and a restart', async () => {
    const started = redis as NonNullable<typeof redis>
    const [at] = started.hosts
    expect(started.url).toBe(`redis://app:secret@127.0.0.1:${at!.port}/`)
    expect(started.version).toMatch(/^7\./)
    await started.kill()
    await expect(answersRedis(at!)).resolves.toBe(false)
    await started.start()
    await expect(answersRedis(at!)).resolves.toBe(true)
    await started.restart()
    await expect(answersRedis(at!)).resolves.toBe(true)
  })
})
