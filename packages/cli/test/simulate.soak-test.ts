import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, type DriverDefinition } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { levers } from './support/levers.ts'
import { jsonLines } from './support/memory.ts'
import { forgetful } from './support/mutant.ts'

// Ten minutes of calls over RabbitMQ and notifications over Kafka, a fault every 40 seconds, both brokers started anew
// in their turn; beside it the same with a driver that forgets, which is to be found out to the number.

const SECONDS = 600
const FAULTS = [
  'reset@20s',
  'freeze@60s+4s',
  'refuse@100s+3s',
  'slow@140s+10s',
  'restart@180s',
  'blackhole@220s+6s',
  'restart@270s',
  'reset@320s',
  'freeze@360s+8s',
  'restart@400s',
  'refuse@440s+10s',
  'restart@490s',
  'slow@530s+5s',
  'reset@570s',
]

const rabbit = await skipOrFail(startBroker('rabbit'))
const kafka = await skipOrFail(startBroker('kafka'))

interface Result {
  readonly lost: number
  readonly doubled: number
  readonly passed: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly object[]
  readonly totals: { readonly sent: number; readonly resolved: number; readonly handled: number }
  readonly latency: object
  readonly recoveries: readonly { readonly fault: { readonly kind: string }; readonly recoveryMs: number | null }[]
}

describe.skipIf(rabbit === undefined || kafka === undefined).concurrent('ten minutes of simulate with faults', () => {
  if (rabbit === undefined || kafka === undefined) return
  afterAll(async () => {
    for (const broker of [rabbit, kafka]) await broker[Symbol.asyncDispose]()
  })

  async function simulated(drivers: readonly DriverDefinition[], faults: string, restart: string): Promise<Result> {
    let out = ''
    const words = ['--profile', 'hybrid', '--rate', '100', '--for', String(SECONDS), '--drain', '60']
    await run(['simulate', '--json', ...words, '--faults', faults, '--restart-command', restart], {
      registry: createDriverRegistry({ drivers }),
      env: {
        OS_DEFAULT__TRANSPORT_URL: `${rabbit?.url ?? ''}?amqp_durable_queues=true`,
        OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: `${kafka?.url.replace(/\/?$/, '/') ?? ''}?kafka_commit_mode=after`,
      },
      out: (text) => (out += text),
      err: (text) => console.log(text.trimEnd()),
    })
    const [result] = jsonLines(out) as unknown as [Result]
    return result
  }

  it('hybrid - nothing that was acknowledged is lost, and every fault is recovered from', async () => {
    let restarts = 0
    const { command, close } = await levers({
      restart: async () => await [rabbit, kafka][restarts++ % 2]?.restart(),
    })
    const result = await simulated([rabbitDriver, kafkaDriver], FAULTS.join(','), command('restart'))
    close()
    const { totals, doubled, latency, counts, violations, recoveries } = result
    const broken = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
    console.log(JSON.stringify({ totals, doubled, latency, broken }))
    for (const violation of violations) console.log(JSON.stringify(violation))
    for (const { fault, recoveryMs } of recoveries)
      console.log(`${fault.kind}: ${recoveryMs?.toFixed(0) ?? 'never'} ms`)
    expect(result).toMatchObject({ lost: 0, passed: true })
    expect(restarts).toBe(4)
    expect(totals.resolved).toBeGreaterThan(SECONDS * 50)
    expect(recoveries.filter(({ recoveryMs }) => recoveryMs === null)).toEqual([])
  })

  it('a driver that forgets every hundredth notification - says how many are lost', async () => {
    const { driver, dropped } = forgetful(kafkaDriver, 100)
    const faults = FAULTS.filter((fault) => !fault.startsWith('restart'))
    const result = await simulated([rabbitDriver, driver], faults.join(','), 'true')
    console.log(`${dropped()} forgotten, ${result.lost} lost; ${JSON.stringify(result.totals)}`)
    expect(dropped()).toBeGreaterThan(100)
    expect(result).toMatchObject({ lost: dropped(), passed: false })
  })
})
