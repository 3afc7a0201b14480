import { randomUUID } from 'node:crypto'
import { runDriverConformance } from '@oslo-messaging/conformance'
import { TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { HubClient } from '../src/hub/client.ts'
import { Hub } from '../src/hub/server.ts'
import { hubDriver } from '../src/index.ts'

const { capabilities } = hubDriver
const context = createDriverContext(hubDriver)
let hub: Hub

runDriverConformance({
  describe,
  it,
  beforeAll: (body) => beforeAll(body),
  afterAll: (body) => afterAll(body),
  capabilities,
  createDriver: ({ vhost }) => hubDriver.open(TransportURL.parse(hub.url + (vhost ?? '')), context),
  knobs: {
    vhosts: ['one', 'two'],
    disconnect: async () => hub.cut(),
    makeUnreadable: async ({ kind, exchange, topic, priority, text }) => {
      const key = [
        kind === 'request' ? 'rpc' : 'notification',
        '',
        exchange ?? context.defaultExchange,
        priority === null ? topic : `${topic}.${priority}`,
        ...(kind === 'request' ? [''] : []),
      ].join('/')
      const { hostname, port } = new URL(hub.url.replace('hub:', 'http:'))
      const { signal } = new AbortController()
      const client = await HubClient.connect(
        { host: hostname, port: Number(port), signal },
        () => {},
        () => {},
      )
      await client.ask(randomUUID(), { do: 'publish', key, body: text })
      await client.end()
    },
    secret: { definition: hubDriver, url: (password) => `hub://user:${encodeURIComponent(password)}@127.0.0.1:1/` },
  },
})

beforeAll(async () => {
  hub = await Hub.start()
})
afterAll(async () => {
  await hub.close()
})
