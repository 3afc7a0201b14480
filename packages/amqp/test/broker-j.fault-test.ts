import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { runDriverConformance } from '@oslo-messaging/conformance'
import type { Driver } from '@oslo-messaging/core/driver'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { amqpDriver } from '../src/index.ts'
import { openDriver } from './support/open-driver.ts'
import { put } from './support/put.ts'

const broker = await skipOrFail(startBroker('broker-j'))
afterAll(() => broker?.close())

/** Does what an operator of Broker-J does once for each topic: a receiver cannot make the exchange of a fanout address. */
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
    capabilities: amqpDriver.capabilities,
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
})
