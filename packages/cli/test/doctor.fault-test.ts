import { createServer, type Server } from 'node:net'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getNotifier,
  getRpcTransport,
  loadConfig,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { afterAll, describe, expect, it } from 'vitest'
import { memoryServer } from './support/memory.ts'
import { doctor } from './support/doctor.ts'

const registry = createDriverRegistry({ drivers: [rabbitDriver] })
const rabbit = await skipOrFail(startBroker('rabbit', { plugins: ['rabbitmq_management'] }))
const secure = await skipOrFail(startBroker('artemis', { tls: true }))
const kafka = await skipOrFail(sharedBroker('kafka'))
const newest = await skipOrFail(startBroker('rabbit', { version: '4.3', plugins: ['rabbitmq_management'] }))

afterAll(async () => {
  for (const broker of [rabbit, secure, newest]) await broker?.[Symbol.asyncDispose]()
})

/** The one error that everything else follows from. */
async function cause(...asked: Parameters<typeof doctor>) {
  const { code, found } = await doctor(...asked)
  expect(code).toBe(3)
  const errors = found.filter(({ severity }) => severity === 'error')
  for (const { why, fix } of errors) expect([why, fix]).not.toContain('')
  return errors
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('doctor names the cause of deployments that are broken on purpose', () => {
  it('a name that does not resolve', async () => {
    expect(await cause('rabbit://guest:guest@no-such-host.invalid/')).toMatchObject([
      { check: 'resolve', what: expect.stringContaining('no-such-host.invalid cannot be resolved') as string },
    ])
  })

  it('a port that takes connections and says nothing', async () => {
    const silent = createServer(() => {})
    const port = await listening(silent)
    expect(await cause(`rabbit://guest:guest@127.0.0.1:${port}/`)).toMatchObject([
      { check: 'protocol', what: expect.stringContaining('says nothing for') as string },
    ])
    silent.close()
  })

  it('a driver that is not installed', async () => {
    expect(await cause('redis://h/')).toContainEqual(
      expect.objectContaining({ what: expect.stringContaining('No driver serves the scheme redis') as string }),
    )
  })

  it('an option that is misspelt', async () => {
    const errors = await cause('rabbit://h/', { oslo_messaging_rabbit: { rabbit_quorom_queue: 'true' } })
    expect(errors).toContainEqual(
      expect.objectContaining({ what: expect.stringContaining('did you mean rabbit_quorum_queue?') as string }),
    )
  })

  describe.skipIf(rabbit === undefined)('on RabbitMQ', () => {
    if (rabbit === undefined) return
    const management = ['--management', rabbit.managementUrl ?? '']

    it("the management interface's port instead of the broker's", async () => {
      const { port } = new URL(rabbit.managementUrl ?? '')
      expect(await cause(`rabbit://guest:guest@127.0.0.1:${port}/`)).toMatchObject([
        { check: 'protocol', what: expect.stringContaining('HTTP') as string },
      ])
    })

    it('TLS at a port without it', async () => {
      expect(await cause(await rabbit.vhost(), { oslo_messaging_rabbit: { ssl: 'true' } })).toMatchObject([
        { check: 'tls', what: expect.stringContaining('does not speak TLS') as string },
      ])
    })

    it('a user without rights on the virtual host', async () => {
      const url = await rabbit.vhost()
      await rabbit.control.addUser('stranger', 'pw', { vhost: '/' })
      const errors = await cause(url.replace('guest:guest', 'stranger:pw'))
      expect(errors).toMatchObject([{ check: 'login' }])
    })

    it('a queue that was declared with other options', async () => {
      const url = await rabbit.vhost()
      const transport = await getRpcTransport(await loadConfig(), { url, registry })
      await memoryServer(transport, 'compute', 'one', { work: () => 1 })
      const errors = await cause(
        url,
        { oslo_messaging_rabbit: { amqp_durable_queues: 'true' } },
        '--topic',
        'compute',
        ...management,
      )
      expect(errors).toMatchObject([
        { check: 'topology', what: 'The queue compute is not as configured: durable is false, configured true' },
      ])
      await transport.close()
    })

    it('notifications that nobody reads', async () => {
      const url = await rabbit.vhost()
      const bus = await getNotificationTransport(await loadConfig(), { url, registry })
      const notifier = getNotifier(bus, { publisherId: 'p', driver: 'messagingv2' })
      for (let n = 0; n < 3; n += 1) await notifier.info({}, 'e', {})
      await expect
        .poll(async () => (await doctor(url, {}, ...management)).found, { timeout: 20_000, interval: 1000 })
        .toContainEqual(
          expect.objectContaining({
            severity: 'warning',
            what: 'Nobody reads notifications.info, and 3 messages wait in it',
          }),
        )
      const { code } = await doctor(url, {}, ...management)
      expect(code).toBe(4)
      const listener = getNotificationListener(bus, [{ topic: 'notifications' }], [{ info: () => {} }])
      await listener.start()
      await listener.stop()
      await bus.close()
    })

    it('a topic that no server has ever served', async () => {
      const { code, found } = await doctor(await rabbit.vhost(), {}, '--topic', 'conpute', ...management)
      expect(code).toBe(4)
      expect(found[0]?.what).toContain('No queue conpute')
    })

    it('a broker that is frozen', async () => {
      const url = await rabbit.vhost()
      await rabbit.freeze()
      try {
        expect(await cause(url)).toMatchObject([
          { check: 'protocol', what: expect.stringContaining('says nothing') as string },
        ])
      } finally {
        await rabbit.thaw()
      }
    })

    it('--html - the same as one page that asks for nothing from anywhere', async () => {
      const file = join(mkdtempSync(join(tmpdir(), 'cli-doctor-')), 'page.html')
      await doctor(await rabbit.vhost(), {}, '--html', file)
      const page = readFileSync(file, 'utf8')
      expect(page).toContain('takes the login and the virtual host')
      expect(page).not.toMatch(/src=|href=|url\(|@import|<script/)
    })
  })

  describe.skipIf(newest === undefined)('on RabbitMQ 4.3', () => {
    if (newest === undefined) return

    it('queues that this version refuses', async () => {
      expect(await cause(newest.url)).toMatchObject([
        { check: 'version', fix: expect.stringContaining('rabbit_quorum_queue = true') as string },
      ])
    })

    it('quorum queues whose messages are dropped after 20 deliveries', async () => {
      const quorum = { oslo_messaging_rabbit: { rabbit_quorum_queue: 'true', rabbit_transient_quorum_queue: 'true' } }
      const { code, found } = await doctor(newest.url, quorum)
      expect(code).toBe(4)
      expect(found[0]).toMatchObject({ check: 'delivery-limit' })
    })

    it('a policy that takes messages back before callers give up', async () => {
      // RabbitMQ knows such a policy since 3.12.
      const url = `${newest.url}?rabbit_quorum_queue=true&rabbit_transient_quorum_queue=true`
      const transport = await getRpcTransport(await loadConfig(), { url, registry })
      await memoryServer(transport, 'compute', 'one', { work: () => 1 })
      const answer = await fetch(`${newest.managementUrl ?? ''}/api/policies/%2F/short`, {
        method: 'PUT',
        headers: { authorization: `Basic ${btoa('guest:guest')}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          pattern: '^compute$',
          definition: { 'consumer-timeout': 20_000 },
          'apply-to': 'queues',
        }),
      })
      expect(answer.ok, await answer.text()).toBe(true)
      await expect
        .poll(
          async () => (await doctor(url, {}, '--topic', 'compute', '--management', newest.managementUrl ?? '')).found,
          {
            timeout: 20_000,
            interval: 1000,
          },
        )
        .toContainEqual(
          expect.objectContaining({
            check: 'consumer-timeout',
            what: 'RabbitMQ takes a message of compute back after 20 s, and callers wait for 60 s',
          }),
        )
      await transport.close()
    })
  })

  describe.skipIf(secure === undefined)('over TLS', () => {
    const tls = secure?.tls
    if (tls === undefined) return
    const ca = tls.certificates.ca
    const url = (port: number): string => `amqp://app:secret@localhost:${port}/`

    it('in order - says until when the certificate is valid', async () => {
      const { found } = await doctor(url(tls.port), { oslo_messaging_amqp: { ssl: 'true', ssl_ca_file: ca } })
      expect(found).toContainEqual(expect.objectContaining({ severity: 'ok', check: 'tls' }))
    })

    it('no TLS at a port with it', async () => {
      expect(await cause(url(tls.port))).toMatchObject([
        { check: 'protocol', what: expect.stringContaining('speaks TLS, and the configuration does not') as string },
      ])
    })

    it('a certificate of an authority that is not known', async () => {
      expect(await cause(url(tls.port), { oslo_messaging_amqp: { ssl: 'true' } })).toMatchObject([
        { check: 'tls', what: expect.stringContaining('is not trusted') as string },
      ])
    })

    it('a certificate of another host', async () => {
      expect(
        await cause(url(tls.otherHostPort), { oslo_messaging_amqp: { ssl: 'true', ssl_ca_file: ca } }),
      ).toMatchObject([{ check: 'tls', what: expect.stringContaining('is for another name') as string }])
    })

    it('a file of the authority that is not there', async () => {
      const errors = await cause(url(tls.port), {
        oslo_messaging_amqp: { ssl: 'true', ssl_ca_file: '/nonexistent/ca.pem' },
      })
      expect(errors[0]?.what).toContain('/nonexistent/ca.pem')
    })
  })

  describe.skipIf(kafka === undefined)('on Kafka', () => {
    if (kafka === undefined) return

    it('in order - connects', async () => {
      const { found } = await doctor('rabbit://guest:guest@127.0.0.1:1/', {
        oslo_messaging_notifications: { transport_url: kafka.url },
      })
      expect(found).toContainEqual(
        expect.objectContaining({ severity: 'ok', check: 'login', what: expect.stringContaining('Kafka') as string }),
      )
      expect(found).toContainEqual(expect.objectContaining({ severity: 'error', check: 'connect' }))
    })
  })
})
