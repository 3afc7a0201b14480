import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import {
  createDriverRegistry,
  DIAGNOSTIC_CHANNELS,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { createKafkaDriver } from '../../src/index.ts'

/** What a broker address may turn out to be. */
const PEERS: Readonly<Record<string, (socket: Socket) => void>> = {
  'a peer that resets': (socket) => socket.resetAndDestroy(),
  'a peer that speaks something else': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
}

it.each(Object.entries(PEERS))(
  'D15 %s - no error, log line, event, health or print shows the password',
  async (_, answer) => {
    const peer = createServer((socket) => {
      socket.on('error', () => {})
      answer(socket)
    }).listen(0, '127.0.0.1')
    await once(peer, 'listening')
    const { port } = peer.address() as AddressInfo
    const password = `${randomBytes(6).toString('hex')}@/:%,${randomBytes(6).toString('hex')}`

    const seen: string[] = []
    const show = (value: unknown): void => {
      seen.push(inspect(value, { depth: 12, showHidden: true }), JSON.stringify(value) ?? '')
      if (value instanceof Error) {
        seen.push(String(value.stack))
        show(value.cause)
      }
    }
    const log = (message: string, fields?: unknown): void => (seen.push(message), show(fields))
    const logger = { debug: log, info: log, warn: log, error: log }
    for (const name of DIAGNOSTIC_CHANNELS) subscribe(name, show)
    try {
      const url = `kafka://user:${encodeURIComponent(password)}@127.0.0.1:${port}/v`
      const conf = await loadConfig({
        overrides: {
          oslo_messaging_notifications: { transport_url: url },
          oslo_messaging_kafka: { security_protocol: 'SASL_PLAINTEXT', ssl_client_key_password: password },
        },
      })
      const registry = createDriverRegistry({ drivers: [createKafkaDriver()] })
      const bus = await getNotificationTransport(conf, { registry, logger })
      const listener = getNotificationListener(bus, [new Target({ topic: 't' })], [{ info: () => {} }])
      const notifier = new Notifier(bus, { driver: 'messagingv2' })
      const outcomes = await Promise.allSettled([
        listener.start({ timeoutMs: 300 }),
        notifier.info({}, 'e', {}, { timeoutMs: 300 }),
      ])
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      for (const value of [...outcomes, bus, listener, notifier, bus.health(), conf]) show(value)
      for (const outcome of outcomes) if (outcome.status === 'rejected') show(outcome.reason)
      show(await bus.close({ timeoutMs: 300 }))
    } finally {
      for (const name of DIAGNOSTIC_CHANNELS) unsubscribe(name, show)
      peer.close()
    }
    expect(seen.length).toBeGreaterThan(12)
    for (const form of [password, encodeURIComponent(password), password.slice(0, 12), password.slice(-12)])
      for (const text of seen) expect(text).not.toContain(form)
  },
)
