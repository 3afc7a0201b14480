import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker, BrokerNode, FaultProxy } from '@oslo-messaging/brokers'
import type { Nemesis } from '../../frame/nemesis.ts'
import { until } from '../../load/until.ts'

/** What a cluster is given to take a silent node in again. */
const REJOIN_MS = 20_000
/** And another node to serve where one was killed. */
const TAKEN_OVER_MS = 60_000
/** What a node is given to be one of them again, once it has answered. */
const WHOLE_MS = 60_000

/** `rejoined` resolves when the node is back among the others; a cluster may leave out for good one that was silent,
 *  until an operator starts it anew. */
export function freeze(broker: Pick<Broker, 'nodes'>, rejoined: () => Promise<void>): Nemesis {
  return {
    name: 'freeze',
    disturbs: ['nodes'],
    strike: async ({ random, forMs }) => {
      const node = random.pick(broker.nodes)
      const { pid } = node
      await node.freeze()
      try {
        await sleep(forMs)
      } finally {
        await node.thaw()
      }
      const stood = `${node.name} stood still for ${Math.round(forMs / 1000)} s`
      const isBack = await until(async () => (await rejoined(), true), 'the node back', REJOIN_MS).catch(() => false)
      if (!isBack) {
        await node.stop()
        await node.start()
      }
      return { count: pid === undefined ? 0 : 1, says: isBack ? stood : `${stood}, and was started anew` }
    },
  }
}

/** `flush` makes the broker write down what it would lose of its own declarations. */
export function kill({ nodes }: Pick<Broker, 'nodes'>, flush: (node: number) => Promise<void>): Nemesis {
  return {
    name: 'kill -9',
    disturbs: ['nodes'],
    stopsNodes: true,
    strike: async ({ random, forMs }) => {
      const index = random.between(0, nodes.length - 1)
      const node = nodeAt(nodes, index)
      const { pid } = node
      await flush(index)
      await node.kill()
      await sleep(forMs / 3)
      await node.start()
      return { count: pid === undefined ? 0 : 1, says: `${node.name} was away for ${Math.round(forMs / 3000)} s` }
    },
  }
}

/** The node that most connections lead to is killed, and comes back when the others have long taken over. `flush` as
 *  for `kill`. */
export function failover(
  { nodes }: Pick<Broker, 'nodes'>,
  proxies: readonly FaultProxy[],
  flush: (node: number) => Promise<void>,
): Nemesis {
  return {
    name: 'failover',
    disturbs: ['nodes', 'network'],
    stopsNodes: true,
    strike: async ({ forMs }) => {
      const index = busiest(proxies)
      const node = nodeAt(nodes, index)
      const had = proxies[index]?.connections ?? 0
      await flush(index)
      await node.kill()
      await sleep(forMs)
      let taken = 0
      const others = (): boolean => {
        taken = proxies.reduce((total, { connections }, each) => total + (each === index ? 0 : connections), 0)
        return taken > 0
      }
      // A standby that was stopped before may itself be on its way up.
      await until(others, 'another node that serves', TAKEN_OVER_MS).catch(() => false)
      await node.start()
      const says = `${node.name} with ${had} connections was killed, ${taken} led elsewhere then`
      return { count: Math.min(had, taken), says }
    },
  }
}

/** The node that most connections lead to. */
export function busiest(proxies: readonly FaultProxy[]): number {
  const most = Math.max(...proxies.map(({ connections }) => connections))
  return proxies.findIndex(({ connections }) => connections === most)
}

/** Nodes are stopped in order and started again, one after the other. */
export function restart({ nodes }: Pick<Broker, 'nodes'>, whole: () => Promise<void>): Nemesis {
  return {
    name: 'restart',
    disturbs: ['nodes'],
    stopsNodes: true,
    strike: async () => {
      for (const node of nodes) {
        await node.stop()
        await node.start()
        // A node answers on its port before it counts itself among the running ones.
        await until(async () => (await whole(), true), 'the node back', WHOLE_MS)
      }
      return { count: nodes.length, says: `${nodes.length} nodes restarted in order` }
    },
  }
}

function nodeAt(nodes: readonly BrokerNode[], index: number): BrokerNode {
  const node = nodes[index]
  if (node === undefined) throw new RangeError(`There is no node ${index}`)
  return node
}
