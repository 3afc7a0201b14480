import { setTimeout as sleep } from 'node:timers/promises'
import type { Nemesis } from '../../frame/nemesis.ts'
import type { NemesisParts } from './parts.ts'

/** Longer than the short deadlines, shorter than the long ones. */
const STALLS_MS = [700, 2_500]
const RESET_EVERY_MS = 1_500
const DELAY_MS = 400
/** A connection of kafkajs has asked for versions and named its mechanism by then, and waits for its login. */
const SASL_BYTES = [60, 400] as const
const SASL_FOR_MS = 1_500

/** Bytes are held back on all ways, and then flow on. */
export function stall({ cluster: { proxies } }: NemesisParts): Nemesis {
  return {
    name: 'network stall',
    disturbs: ['network'],
    strike: async ({ random, forMs }) => {
      const end = performance.now() + forMs
      let stalls = 0
      let held = 0
      while (performance.now() < end) {
        held += open(proxies)
        for (const proxy of proxies) proxy.stall()
        await sleep(random.pick(STALLS_MS))
        for (const proxy of proxies) proxy.pass()
        stalls += 1
        await sleep(1_000)
      }
      return { count: held, says: `${stalls} stalls held ${held} connections` }
    },
  }
}

/** The connections to one node are reset, again and again. */
export function reset({ cluster: { proxies } }: NemesisParts): Nemesis {
  return {
    name: 'reset',
    disturbs: ['network'],
    strike: async ({ random, forMs }) => {
      const before = cuts(proxies)
      const end = performance.now() + forMs
      while (performance.now() < end) {
        random.pick(proxies).reset()
        await sleep(RESET_EVERY_MS)
      }
      const count = cuts(proxies) - before
      return { count, says: `${count} connections reset` }
    },
  }
}

/** Requests arrive at once and answers late, or the other way round. */
export function asymmetricDelay({ cluster: { proxies } }: NemesisParts): Nemesis {
  return {
    name: 'asymmetric delay',
    disturbs: ['network'],
    strike: async ({ random, forMs }) => {
      const towards = random.pick(['client', 'broker'] as const)
      const slow = random.shuffle(proxies).slice(0, random.between(1, proxies.length))
      const count = open(slow)
      for (const proxy of slow) proxy.delay(DELAY_MS, towards)
      await sleep(forMs)
      for (const proxy of slow) proxy.pass()
      return { count, says: `${count} connections to ${slow.length} nodes, ${DELAY_MS} ms towards the ${towards}` }
    },
  }
}

/** Every connection is cut while it logs in, for a while. */
export function saslCut({ cluster: { proxies } }: NemesisParts): Nemesis {
  return {
    name: 'SASL cut',
    disturbs: ['network'],
    strike: async ({ random, forMs }) => {
      const before = cuts(proxies)
      const end = performance.now() + forMs
      while (performance.now() < end) {
        const bytes = random.between(...SASL_BYTES)
        for (const proxy of proxies) {
          proxy.cutAfter(bytes)
          proxy.reset()
        }
        await sleep(SASL_FOR_MS)
        for (const proxy of proxies) proxy.pass()
        await sleep(SASL_FOR_MS)
      }
      const count = cuts(proxies) - before
      return { count, says: `${count} connections cut while they were made` }
    },
  }
}

function open(proxies: NemesisParts['cluster']['proxies']): number {
  return proxies.reduce((sum, { connections }) => sum + connections, 0)
}

function cuts(proxies: NemesisParts['cluster']['proxies']): number {
  return proxies.reduce((sum, proxy) => sum + proxy.cuts, 0)
}
