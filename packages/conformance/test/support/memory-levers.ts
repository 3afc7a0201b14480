import type { Faults } from '@oslo-messaging/core/testing'
import type { ConformanceLevers, LastingLever } from '../../src/index.ts'

let cuts = 0

/** How often anything was cut in this process. */
export const cutsSoFar = (): number => cuts

/** The levers of the in-process broker: what it can suffer comes from its script of faults. */
export function memoryLevers(faults: Faults): ConformanceLevers & { readonly cut: () => Promise<void> } {
  const gone: LastingLever = async () => {
    faults.disconnect()
    return async () => faults.reconnect()
  }
  return {
    outage: gone,
    // It has no sockets that could be silent: to its drivers the two are the same.
    freeze: gone,
    killNode: async () => {
      faults.disconnect()
      setTimeout(() => faults.reconnect(), 20)
      return async () => faults.reconnect()
    },
    block: async () => {
      faults.block()
      return async () => faults.unblock()
    },
    restart: async () => {
      faults.disconnect()
      await new Promise((resolve) => setTimeout(resolve, 20))
      faults.reconnect()
    },
    revoke: async () => {
      faults.failListeners()
      return async () => {}
    },
    connections: () => 1,
    cut: async () => {
      cuts += 1
      faults.disconnect({ loseReplies: true })
      setImmediate(() => faults.reconnect())
    },
  }
}
