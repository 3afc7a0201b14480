import { afterAll, describe, expect, it } from 'vitest'

import { answersJetStream, answersNats } from '../../src/probe.ts'
import { ACCOUNT } from '../../src/program-broker.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const nats = await skipOrFail(startBroker('nats'))
afterAll(() => nats?.close())
const cluster = await skipOrFail(startBroker('nats', { nodes: 3 }))
afterAll(() => cluster?.close())

describe.skipIf(nats === undefined || cluster === undefined)('NATS', () => {
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

  it('takes the rights of its user and gives them back', async () => {
    const [at] = nats!.hosts
    const mayAsk = () => answersJetStream(at!, ACCOUNT)
    await expect(mayAsk()).resolves.toBe(true)
    await nats!.setRights(false)
    await expect.poll(mayAsk, { timeout: 10_000 }).toBe(false)
    await nats!.setRights(true)
    await expect.poll(mayAsk, { timeout: 10_000 }).toBe(true)
  })

  it('three servers are one, and two of them go on without the third', async () => {
    expect(cluster!.hosts).toHaveLength(3)
    const [first, second] = cluster!.hosts
    await cluster!.nodes[0]!.kill()
    await expect(answersNats(first!)).resolves.toBe(false)
    await expect.poll(() => answersJetStream(second!, ACCOUNT), { timeout: 20_000 }).toBe(true)
    await cluster!.nodes[0]!.start()
    await expect(answersJetStream(first!, ACCOUNT)).resolves.toBe(true)
  })
})
