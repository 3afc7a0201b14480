import { afterAll, describe, expect, it } from 'vitest'

import { answersNats } from '../../src/probe.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const nats = await skipOrFail(startBroker('nats'))
afterAll(() => nats?.close())

describe.skipIf(nats === undefined)('NATS', () => {
  it('answers, not after a kill, and again after a start and a restart', async () => {
    const started = nats as NonNullable<typeof nats>
    const [at] = started.hosts
    expect(started.url).toBe(`nats://app:secret@127.0.0.1:${at!.port}/`)
    expect(started.version).toMatch(/^2\./)
    await started.kill()
    await expect(answersNats(at!)).resolves.toBe(false)
    await started.start()
    await expect(answersNats(at!)).resolves.toBe(true)
    await started.restart()
    await expect(answersNats(at!)).resolves.toBe(true)
  })
})
