import type { MessageServer } from '@oslo-messaging/core'
import type { Nemesis } from '../../frame/nemesis.ts'

const DRAIN_MS = 40_000
const START_MS = 60_000

/** Members of the readers are drained and start anew, one after the other, as a service is that gets a new version. */
export function drain(servers: () => readonly MessageServer[]): Nemesis {
  return {
    name: 'drain',
    disturbs: ['members'],
    strike: async ({ random, forMs }) => {
      const end = performance.now() + forMs
      let count = 0
      while (performance.now() < end) {
        const server = random.pick(servers())
        await server.stop({ timeoutMs: DRAIN_MS })
        await server.wait({ timeoutMs: DRAIN_MS })
        await server.start({ timeoutMs: START_MS })
        count += 1
      }
      return { count, says: `${count} members were drained and started anew` }
    },
  }
}
