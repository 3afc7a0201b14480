import type { FaultProxy } from './faults/index.ts'
import type { ConformanceOptions, LastingLever } from './options.ts'

/** Every lever there is, whoever moves it. */
export interface Levers {
  readonly cut?: () => Promise<void>
  readonly outage?: LastingLever
  readonly freeze?: LastingLever
  readonly halfOpen?: () => Promise<void>
  readonly latency?: LastingLever
  readonly split?: LastingLever
  readonly block?: LastingLever
  readonly killNode?: LastingLever
  readonly revoke?: LastingLever
  readonly restart?: () => Promise<void>
  readonly connections?: () => number | Promise<number>
  readonly proxies?: () => readonly FaultProxy[]
}

export type LeverName = keyof Levers

/** Small enough to cut every field of a frame somewhere. */
const SPLIT_BYTES = 7
const LATENCY_MS = 100

/** The levers that the author gave, and those that follow from them: what is given wins. */
export function leversOf({ knobs = {} }: ConformanceOptions): Levers {
  const { levers = {}, disconnect } = knobs
  const all: Levers = { ...(levers.proxies === undefined ? {} : proxyLevers(levers.proxies)), ...levers }
  if (disconnect !== undefined) return { ...all, cut: disconnect }
  const { outage } = all
  if (all.cut !== undefined || outage === undefined) return all
  const cut = async (): Promise<void> => {
    const end = await outage()
    await end()
  }
  return { ...all, cut }
}

function proxyLevers(proxies: () => readonly FaultProxy[]): Levers {
  const each = (act: (proxy: FaultProxy) => void): Promise<void> => {
    for (const proxy of proxies()) act(proxy)
    return Promise.resolve()
  }
  const lasting =
    (act: (proxy: FaultProxy) => void): LastingLever =>
    async () => {
      await each(act)
      return () => each((proxy) => proxy.pass())
    }
  return {
    cut: () => each((proxy) => proxy.reset()),
    halfOpen: () => each((proxy) => proxy.halfOpen()),
    freeze: lasting((proxy) => proxy.stall()),
    latency: lasting((proxy) => proxy.delay(LATENCY_MS)),
    split: lasting((proxy) => proxy.split(SPLIT_BYTES)),
    outage: async () => {
      await Promise.all(proxies().map((proxy) => proxy.refuse()))
      return async () => void (await Promise.all(proxies().map((proxy) => proxy.accept())))
    },
    connections: () => proxies().reduce((sum, { connections }) => sum + connections, 0),
  }
}
