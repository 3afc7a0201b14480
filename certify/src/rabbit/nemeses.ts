import { setTimeout as sleep } from 'node:timers/promises'
import type { RabbitBroker } from '@oslo-messaging/brokers'
import type { Nemesis } from '../frame/nemesis.ts'

const CLOSE_EVERY_MS = 2_000

/** The broker is short of memory: it reads nothing more from connections that publish. */
export function alarm({ control, nodes }: RabbitBroker): Nemesis {
  return {
    name: 'alarm',
    disturbs: ['nodes'],
    strike: async ({ random, forMs }) => {
      const node = random.between(0, nodes.length - 1)
      await control.setMemoryAlarm(node)
      try {
        const alarms = await control.eval('length(rabbit_alarm:get_alarms())', node)
        await sleep(forMs)
        return { count: Number(alarms), says: `no publishing for ${Math.round(forMs / 1000)} s` }
      } finally {
        await control.clearMemoryAlarm(node)
      }
    },
  }
}

/** An operator closes every connection, in order and with a reason, as `rabbitmqctl close_all_connections` does. */
export function closeAllConnections({ control, nodes }: RabbitBroker): Nemesis {
  return {
    name: 'close_all_connections',
    disturbs: ['nodes'],
    strike: async ({ forMs }) => {
      const end = performance.now() + forMs
      let count = 0
      while (performance.now() < end) {
        for (const index of nodes.keys()) {
          const lists = 'L=rabbit_networking:local_connections()'
          count += Number(
            await control.eval(`${lists},[rabbit_networking:close_connection(P,"certify")||P<-L],length(L)`, index),
          )
        }
        await sleep(CLOSE_EVERY_MS)
      }
      return { count, says: `${count} connections closed by an operator` }
    },
  }
}
