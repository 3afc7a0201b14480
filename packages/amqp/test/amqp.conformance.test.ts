import { runDriverConformance } from '@oslo-messaging/conformance'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { amqpDriver } from '../src/index.ts'
import { openDriver } from './support/open-driver.ts'
import { type Peer, startPeer } from './support/peer.ts'
import { put } from './support/put.ts'

/** Over real frames, without a broker: each addressing on a peer in this process. */
describe.each(['legacy', 'routable'] as const)('amqp with %s addresses, in-process peer', (mode) => {
  let peer: Peer
  beforeAll(async () => {
    peer = await startPeer()
  })
  afterAll(() => peer.close())

  runDriverConformance({
    describe,
    it,
    beforeAll,
    afterAll,
    capabilities: { ...amqpDriver.capabilities, pools: false },
    createDriver: ({ vhost = '' }) => openDriver(`amqp://127.0.0.1:${peer.port}/${vhost}`, { addressing_mode: mode }),
    knobs: {
      vhosts: ['one', 'two'],
      disconnect: async () => peer.reset(),
      async makeUnreadable({ kind, topic, priority, text }) {
        const name = kind === 'request' ? topic : `${topic}.${priority}`
        const address =
          mode === 'legacy'
            ? `unicast.openstack.${name}`
            : `openstack.org/om/${kind === 'request' ? 'rpc' : 'notify'}/anycast/openstack/${name}`
        await put({ port: peer.port }, address, { body: text })
      },
      secret: {
        definition: amqpDriver,
        url: (password) => `amqp://nobody:${encodeURIComponent(password)}@127.0.0.1:${peer.port}/`,
      },
    },
  })
})
