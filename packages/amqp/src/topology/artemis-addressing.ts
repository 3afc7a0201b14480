import { type Deadline, emitDiagnostic } from '@oslo-messaging/core/driver'
import type { Addresser } from './topic-addresses.ts'
import type { Addressing } from './addressing.ts'
import { openSender } from '../connection/links.ts'
import type { PeerConnection } from '../connection/peer-connection.ts'

/** Ways an address of Artemis may route: to one of its queues, and to every subscription. With both, a message goes to
 *  one queue and to every subscription. */
const ROUTINGS = [['queue'], ['topic']] as const

/** Artemis with pools. The unpooled listeners share the address's queue, as with every other peer, and each pool has a
 *  shared durable subscription on the same address. The address must route both ways for that, and it learns to by
 *  being attached to as a queue and as a topic. A sender goes on as it began: so senders see to it before they attach,
 *  whether there is a pool or not. */
export function createArtemisAddressing(addresser: Addresser, connection: PeerConnection): Addressing {
  const routeBothWays = async (address: string, deadline: Deadline): Promise<void> => {
    const session = await connection.openSession()
    try {
      for (const capabilities of ROUTINGS)
        await session.loss.race(openSender(session.session, address, deadline, { onClosed: () => {} }, capabilities))
    } finally {
      await session.close()
    }
  }
  return {
    mode: addresser.mode,
    address: (target, service) => addresser.address(target, service),
    async prepareToSend(target, service, deadline) {
      if (service !== 'notify') return
      const address = addresser.address(target, service)
      // Who may not change the address may still send to it; it is the pool's listeners that then fail.
      await routeBothWays(address, deadline).catch((error: unknown) =>
        emitDiagnostic('oslo-messaging:background-error', () => ({ source: `amqp routing of ${address}`, error })),
      )
    },
    poolSources: (targets, pool, deadline) =>
      Promise.all(
        targets.map(async (target) => {
          const address = addresser.address(target, 'notify')
          await routeBothWays(address, deadline)
          // The broker's queue has this name, whatever the address.
          return {
            address,
            subscription: `openstack.org/om/pool/${encodeURIComponent(address)}/${encodeURIComponent(pool)}`,
          }
        }),
      ),
  }
}
