import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { CHROMIUM, openPage } from './support/chromium.ts'
import { jsonLines } from './support/memory.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))
const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver] })
const folder = mkdtempSync(join(tmpdir(), 'cli-simulate-'))
async function simulated(url: string, notifyUrl: string, argv: readonly string[]) {
  let [out, err] = ['', '']
  const code = await run(['simulate', '--json', ...argv], {
    registry,
    env: { OS_DEFAULT__TRANSPORT_URL: url, OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: notifyUrl },
    out: (text) => (out += text),
    err: (text) => (err += text),
  })
  return { code, err, result: jsonLines(out)[0] ?? {} }
}

describe.skipIf(rabbit === undefined || kafka === undefined)('oslo-msg simulate on RabbitMQ and Kafka', () => {
  if (rabbit === undefined || kafka === undefined) return

  it('hybrid with faults - nothing that was acknowledged is lost, and each fault is recovered from', async () => {
    const html = join(folder, 'hybrid.html')
    const faults = 'reset@4s, freeze@7s+2s, refuse@12s+1s, slow@16s+2s'
    const argv = ['--profile', 'hybrid', '--rate', '200', '--for', '24', '--faults', faults, '--html', html]
    const { code, result, err } = await simulated(await rabbit.vhost(), kafka.url, argv)
    expect(err).toBe('')
    expect(result).toMatchObject({ lost: 0, passed: true })
    expect(code).toBe(0)
    const recoveries = result['recoveries'] as readonly { readonly fault: object; readonly recoveryMs: number | null }[]
    expect(recoveries).toHaveLength(4)
    for (const { recoveryMs } of recoveries) expect(recoveryMs).toBeLessThan(6000)
  })

  it.skipIf(CHROMIUM === undefined)(
    'the page in Chromium - plots are drawn, nothing is complained of, nothing is asked for',
    async () => {
      const shot = join(folder, 'hybrid.png')
      const { dom, messages, requests } = await openPage(join(folder, 'hybrid.html'), shot)
      expect(dom.match(/<path d="M[^"]*L/g)?.length).toBeGreaterThanOrEqual(6)
      expect({ messages, requests }).toEqual({ messages: [], requests: [] })
      expect(existsSync(shot)).toBe(true)
      console.log(`screenshot: ${shot}`)
    },
  )
})
