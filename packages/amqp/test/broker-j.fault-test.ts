import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { Deadline, type Driver, Target } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { amqpDriver } from '../src/index.ts'
import { openDriver } from './support/open-driver.ts'
import { put } from './support/put.ts'

const broker = await skipOrFail(startBroker('broker-j'))
afterAll(() => broker?.close())

/** Does what an operator of Broker-J does once for each topic: a receiver cannot make the exchange of a fanout
 *  address. */
function withFanouts(driver: Driver, virtualHost = 'default'): Driver {
  return {
    send: (...args) => driver.send(...args),
    sendNotification: (...args) => driver.sendNotification(...args),
    async listen(target, options) {
      await broker?.createFanout(`broadcast.${target.exchange ?? 'openstack'}.${target.topic}.all`, virtualHost)
      return await driver.listen(target, options)
    },
    listenForNotifications: (...args) => driver.listenForNotifications(...args),
    health: () => driver.health(),
    close: (options) => driver.close(options),
  }
}

/** Real virtual hosts: named in `open`, not in addresses. */
const open = async (vhost?: string): Promise<Driver> => {
  const url = broker?.urlFor(vhost === undefined ? {} : { vhost }) ?? ''
  return withFanouts(await openDriver(url, { addressing_mode: 'legacy', pseudo_vhost: false }), vhost)
}

describe.skipIf(broker === undefined)('amqp on Qpid Broker-J', () => {
  runDriverConformance({
    describe,
    it,
    beforeAll,
    afterAll,
    capabilities: { ...amqpDriver.capabilities, pools: false },
    createDriver: ({ vhost }) => open(vhost),
    knobs: {
      timeScale: 2,
      vhosts: ['default', 'tenant1'],
      disconnect: async () => broker?.closeAllConnections(),
      async makeUnreadable({ kind, topic, priority, text }) {
        const [port = 0] = broker?.ports ?? []
        const name = kind === 'request' ? topic : `${topic}.${priority}`
        await put({ port, username: 'app', password: 'secret' }, `unicast.openstack.${name}`, { body: text })
      },
      secret: {
        definition: amqpDriver,
        url: (password) => broker?.urlFor({ user: 'nobody', password }) ?? '',
      },
    },
  })

  it('unknown virtual host - opens, and is closed with the reason: retried until the deadline, which names it', async () => {
    const url = broker?.urlFor({ vhost: 'nowhere' }) ?? ''
    const driver = await openDriver(url, { addressing_mode: 'legacy', pseudo_vhost: false })
    const startedAt = performance.now()
    const error: unknown = await driver
      .send(
        new Target({ topic: 't' }),
        { context: {}, message: { method: 'm', args: {} } },
        {
          waitForReply: true,
          deadline: Deadline.after(2_000),
          expiresInMs: 2_000,
          callMonitorTimeoutMs: null,
          retries: null,
          atLeastOnce: false,
        },
      )
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
    expect(performance.now() - startedAt).toBeLessThan(2_250)
    await expect.poll(() => JSON.stringify(driver.health())).toContain('amqp:not-found')
    await driver.close()
  })
})
