import { Deadline, silentLogger, Target, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { natsDriver } from '../../src/index.ts'

const MESSAGE = {
  message_id: 'id',
  publisher_id: 'test',
  event_type: 'event',
  priority: 'INFO',
  payload: {},
  timestamp: '2026-01-01 00:00:00.000000',
}

/** What a send comes to over hosts that cannot be reached, and what the log said. */
async function sendOver(url: string, changes: Parameters<typeof createDriverContext>[1] = {}) {
  const warned: string[] = []
  const logger = { ...silentLogger, warn: (text: string) => void warned.push(text) }
  const driver = await natsDriver.open(TransportURL.parse(url), createDriverContext(natsDriver, { logger, ...changes }))
  onTestFinished(() => driver.close())
  const terms = { deadline: Deadline.after(10_000), retries: 2, version: '2.0' } as const
  const sent = driver.sendNotification(new Target({ topic: 't.info' }), { context: {}, message: MESSAGE }, terms)
  const text = await sent.then(() => 'sent', String)
  return { text, warned, health: driver.health() }
}

it('what a provider of credentials says when it fails is in no error, no log and no health', async () => {
  const credentials = () => Promise.reject(new Error('token hunter2'))
  const { text, warned, health } = await sendOver('nats://127.0.0.1:1', { credentials })
  expect(text).toContain('No credentials for 127.0.0.1:1')
  expect(JSON.stringify([text, warned, health])).not.toContain('hunter2')
})

it('clients begin at different hosts, and go round; trouble is logged once and not at each attempt', async () => {
  const asked: number[] = []
  const credentials = ({ port }: { readonly port: number | null }) => {
    asked.push(Number(port))
    return undefined
  }
  const { warned } = await sendOver('nats://127.0.0.1:1,127.0.0.1:2,127.0.0.1:3', { credentials, random: () => 0.5 })
  expect(asked.slice(0, 3)).toEqual([2, 3, 1])
  expect(warned).toHaveLength(1)
})

it('a port where nobody listens is named with what happened there', async () => {
  const { text } = await sendOver('nats://localhost:1')
  expect(text).toContain('localhost:1 refused the connection (ECONNREFUSED)')
})
