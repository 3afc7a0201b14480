import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { type Logger, Target, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { FakeBroker } from './support/fake-broker.ts'
import { rejection } from './support/load.ts'
import { castOptions, openDriver } from './support/open-driver.ts'

const FAILURES: readonly (readonly [string, Error])[] = [
  ['nothing listens', Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5672'), { code: 'ECONNREFUSED' })],
  [
    'the login is refused',
    new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"'),
  ],
  ['the virtual host is missing', Object.assign(new Error("NOT_ALLOWED - vhost 'x' not found"), { code: 530 })],
]

/** Everything an operator or a log may get to see. */
function shown(value: unknown): string {
  const texts = [inspect(value, { depth: 10 }), JSON.stringify(value, null, 1) ?? '']
  if (value instanceof Error) texts.push(String(value), value.stack ?? '', shown(value.cause))
  return texts.join('\n')
}

describe('P29 - secrets', () => {
  it.each(FAILURES)(
    'P29 - no password of any host is in an error, a log line or the health when %s',
    async (_what, failure) => {
      for (let round = 0; round < 20; round += 1) {
        const passwords = [randomBytes(9).toString('base64url'), `${randomBytes(6).toString('hex')}/%:@`]
        const hosts = passwords.map(
          (password, index) => `user${index}:${encodeURIComponent(password)}@host${index}:5672`,
        )
        const url = TransportURL.parse(`rabbit://${hosts.join(',')}/vhost`)
        const lines: unknown[] = []
        const note = (text: string, fields?: unknown): unknown => lines.push(text, fields)
        const logger: Logger = { debug: note, info: note, warn: note, error: note }
        const broker = new FakeBroker()
        broker.onConnect = () => {
          throw failure
        }
        const driver = openDriver(broker, { url, logger })
        const request = { context: {}, message: { method: 'm', args: {} } }
        const error = await rejection(driver.send(new Target({ topic: 't' }), request, castOptions({ timeoutMs: 30 })))
        const everything = [error, ...lines, driver.health(), driver, url].map(shown).join('\n')
        // It would notice: the names of users and hosts are there.
        expect(everything).toContain('host0')
        for (const password of passwords) {
          expect(everything).not.toContain(password)
          expect(everything).not.toContain(encodeURIComponent(password))
        }
        await driver.close()
      }
    },
  )
})
