import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '@oslo-messaging/brokers'
import type { Nemesis } from '../../frame/nemesis.ts'

const RESET_EVERY_MS = 1_500

/** All connections to one node are reset, again and again. */
export function reset(proxies: readonly FaultProxy[]): Nemesis {
  return {
    name: 'reset',
    disturbs: ['network'],
    strike: async ({ random, forMs }) => {
      const before = sum(proxies, ({ cuts }) => cuts)
      const end = performance.now() + forMs
      while (performance.now() < end) {
        random.pick(proxies).reset()
        await sleep(RESET_EVERY_MS)
      }
      const count = sum(proxies, ({ cuts }) => cuts) - before
      return { count, says: `${count} connections reset` }
    },
  }
}

/** Connections stay open and carry nothing, in either direction, and new ones meet silence. */
export function halfOpen(proxies: readonly FaultProxy[]): Nemesis {
  return {
    name: 'half-open network',
    disturbs: ['network'],
    strike: async ({ forMs }) => {
      const count = sum(proxies, ({ connections }) => connections)
      for (const proxy of proxies) proxy.blackhole()
      await sleep(forMs)
      for (const proxy of proxies) proxy.pass()
      return { count, says: `${count} connections were silent for ${Math.round(forMs / 1000)} s` }
    },
  }
}

function sum(proxies: readonly FaultProxy[], figure: (proxy: FaultProxy) => number): number {
  return proxies.reduce((total, proxy) => total + figure(proxy), 0)
}
