import { setTimeout as sleep } from 'node:timers/promises'
import type { Nemesis } from '../../frame/nemesis.ts'
import { until } from '../../load/until.ts'
import { LONELY_NODE, placeOf, TOPICS } from '../topics.ts'
import type { NemesisParts } from './parts.ts'

/** Nodes are stopped in order and started again, one after the other, as in an upgrade. */
export function rollingRestart({ cluster }: NemesisParts): Nemesis {
  return {
    name: 'rolling restart',
    disturbs: ['leaders', 'nodes'],
    strike: async ({ random }) => {
      for (const node of random.shuffle(cluster.broker.nodes)) {
        await node.stop()
        await node.start()
        await cluster.whole()
      }
      return { count: cluster.broker.nodes.length, says: `${cluster.broker.nodes.length} nodes restarted in order` }
    },
  }
}

export function kill({ cluster }: NemesisParts): Nemesis {
  return {
    name: 'kill -9',
    disturbs: ['leaders', 'nodes'],
    strike: async ({ random, forMs }) => {
      const node = random.pick(cluster.broker.nodes)
      const { pid } = node
      await node.kill()
      await sleep(forMs / 2)
      await node.start()
      return { count: pid === undefined ? 0 : 1, says: `${node.name} was away for ${Math.round(forMs / 2000)} s` }
    },
  }
}

/** Connections stay open and nobody answers on them. */
export function freeze({ cluster }: NemesisParts): Nemesis {
  return {
    name: 'freeze',
    disturbs: ['leaders', 'nodes'],
    strike: async ({ random, forMs }) => {
      const node = random.pick(cluster.broker.nodes)
      const { pid } = node
      await node.freeze()
      try {
        await sleep(forMs)
      } finally {
        await node.thaw()
      }
      return { count: pid === undefined ? 0 : 1, says: `${node.name} stood still for ${Math.round(forMs / 1000)} s` }
    },
  }
}

/** One partition of one topic has no leader, because the only node that has it is away; every other topic has. */
export function leaderlessNeighbour({ cluster }: NemesisParts): Nemesis {
  const lonely = placeOf(TOPICS.lonely)
  return {
    name: 'leaderless neighbour',
    disturbs: ['leaders', 'nodes'],
    strike: async ({ forMs }) => {
      const node = cluster.broker.nodes[LONELY_NODE - 1]
      if (node === undefined) throw new RangeError(`There is no node ${LONELY_NODE}`)
      await node.kill()
      try {
        await until(
          async () => {
            const { partitions } = await cluster.admin.describe()
            return partitions.some(({ topic, leader }) => topic === lonely && leader < 1)
          },
          `${lonely} without a leader`,
          20_000,
        )
        await sleep(forMs)
      } finally {
        await node.start()
      }
      return { count: 1, says: `a partition of ${lonely} had no leader for ${Math.round(forMs / 1000)} s` }
    },
  }
}
