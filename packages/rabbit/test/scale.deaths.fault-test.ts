import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { afterAll, describe, expect, it } from 'vitest'
import { rabbitDriver } from '../src/index.ts'
import { unique } from './support/broker.ts'
import { JobProcess } from './support/job-process.ts'
import { ownRabbit, tell } from './support/own-broker.ts'

const broker = await ownRabbit()

describe.skipIf(broker === undefined)('processes that die', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())

  it('P22 - SIGKILL of the server one second into a call of 600 s with a monitor of 5 s: rejects as ServerLost within 6 s', async () => {
    const url = await broker.vhost()
    const topic = unique('t')
    await using server = new JobProcess('hang', url, { topic })
    await server.fact('listening')
    const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
    const transport = await getRpcTransport(await loadConfig(), { url, registry })
    const client = getRpcClient(transport, new Target({ topic }), { timeoutMs: 600_000, callMonitorTimeoutMs: 5000 })
    const startedAt = performance.now()
    const call = client.call({}, 'hang', {}).then(
      () => undefined,
      (error: unknown) => error,
    )
    await server.fact('begun')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    server.terminate('SIGKILL')
    const killedAt = performance.now()
    expect(await call).toMatchObject({ code: 'OSLO_MESSAGING_SERVER_LOST', monitorTimeoutMs: 5000 })
    const endedAt = performance.now()
    tell(`server killed: ServerLost ${Math.round(endedAt - killedAt)} ms later`)
    expect(endedAt - killedAt).toBeLessThanOrEqual(6000)
    expect(endedAt - startedAt).toBeGreaterThan(5000)
    await transport.close()
  })
})
