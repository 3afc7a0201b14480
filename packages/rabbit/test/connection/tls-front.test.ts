import { createServer, type AddressInfo } from 'node:net'
import { Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { openReal } from '../support/broker.ts'
import { castOptions } from '../support/open-driver.ts'

/** A TLS record: alert, TLS 1.2, two bytes: fatal, and what about. */
const alert = (description: number): Buffer => Buffer.from([0x15, 3, 3, 0, 2, 2, description])

it.each([
  { what: 'whose own side failed (internal_error)', description: 80, status: 'degraded', code: 'TIMEOUT' },
  { what: 'that does not know our authority (unknown_ca)', description: 48, status: 'failed', code: 'AUTHENTICATION' },
])('a TLS front $what: $status', async ({ description, status, code }) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(alert(description)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const options = { ssl: true, ssl_unverified: true, rabbit_retry_interval: 0.05 }
  const driver = openReal(`rabbit://127.0.0.1:${port}/`, { options })
  const request = { context: {}, message: { method: 'm', args: {} } }
  const sent = driver.send(new Target({ topic: 't' }), request, castOptions({ timeoutMs: 500 }))
  await expect(sent).rejects.toMatchObject({
    code: `OSLO_MESSAGING_${code}`,
    message: expect.stringMatching(/alert/i) as string,
  })
  expect(driver.health().status).toBe(status)
  await driver.close()
  await new Promise((resolve) => server.close(resolve))
})
