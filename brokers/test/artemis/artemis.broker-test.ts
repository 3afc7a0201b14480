import { afterAll, describe, expect, it } from 'vitest'

import { answersAmqp10 } from '../../src/probe.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const artemis = await skipOrFail(startBroker('artemis'))
afterAll(() => artemis?.close())

describe.skipIf(artemis === undefined)('Artemis', () => {
  it('answers on both of its ports, and again after a kill', async () => {
    const started = artemis as NonNullable<typeof artemis>
    const few = { host: '127.0.0.1', port: started.fewCreditsPort }
    expect(started.url).toBe(`amqp://app:secret@127.0.0.1:${started.ports[0]}/`)
    await started.kill()
    await expect(answersAmqp10(few)).resolves.toBe(false)
    await started.start()
    await expect(answersAmqp10(few)).resolves.toBe(true)
  })
})
