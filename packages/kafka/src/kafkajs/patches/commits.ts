import type { Cluster } from 'kafkajs'
import { ClientFault, type PartitionOffset } from '../../port/client-port.ts'
import { API_KEYS, type ClientPatches } from './client-patches.ts'

/** What kafkajs's brokers can do and its types do not say. */
interface Coordinator {
  readonly nodeId: string
  readonly isConnected: () => boolean
  readonly offsetCommit: (request: {
    readonly groupId: string
    readonly groupGenerationId: number
    readonly memberId: string
    readonly topics: readonly TopicCommit[]
  }) => Promise<unknown>
}

interface TopicCommit {
  readonly topic: string
  readonly partitions: { readonly partition: number; readonly offset: string; readonly metadata: string | null }[]
}

/** This member in one deal of the group. */
interface Deal {
  readonly generation: number
  readonly member: string
}

/** Stores positions in the name of the deal in which they were held.
 *  kafkajs's own commit is repeated for seconds, also when the group was dealt out anew meanwhile, and in the name of
 *  the new deal the broker takes it: the position of a partition that somebody else reads by then would move, and
 *  nobody would read what lies between. */
export class DealCommits {
  readonly #group: string
  #cluster: Cluster | undefined
  #coordinator: Coordinator | undefined
  /** As it asked for its share last. */
  #asked: Deal | undefined
  /** undefined: the group is being dealt out. */
  #deal: Deal | undefined

  constructor(patches: ClientPatches, group: string) {
    this.#group = group
    patches.onCluster((cluster) => {
      this.#cluster = cluster
      const find = cluster.findGroupCoordinator.bind(cluster)
      cluster.findGroupCoordinator = async (question) => {
        const coordinator = await find(question)
        this.#coordinator = coordinator as object as Coordinator
        return coordinator
      }
    })
    patches.request(API_KEYS.syncGroup, (make) => (fields) => {
      const { generationId, memberId } = fields
      if (typeof generationId === 'number' && typeof memberId === 'string')
        this.#asked = { generation: generationId, member: memberId }
      return make(fields)
    })
  }

  /** Which deal is in force; undefined between two. */
  get deal(): object | undefined {
    return this.#deal
  }

  /** The group is dealt out, and this member has its share. */
  begin(): void {
    this.#deal = this.#asked
  }

  /** The group is about to be dealt out anew. */
  end(): void {
    this.#deal = undefined
  }

  /** One attempt, in the name of `held`: the deal in which the positions were held. Resolves when all are stored.
   *  Rejects with what kafkajs says, and with ClientFault REBALANCE_IN_PROGRESS when that deal is not in force any
   *  more. */
  async commit(positions: readonly PartitionOffset[], held: object | undefined): Promise<void> {
    const [deal, coordinator] = [this.#deal, this.#coordinator]
    if (deal === undefined || deal !== held || coordinator === undefined)
      throw new ClientFault('REBALANCE_IN_PROGRESS', 'The group is being dealt out anew')
    const broker = coordinator.isConnected() ? coordinator : await this.#connected(coordinator)
    await broker.offsetCommit({
      groupId: this.#group,
      groupGenerationId: deal.generation,
      memberId: deal.member,
      topics: byTopic(positions),
    })
  }

  async #connected({ nodeId }: Coordinator): Promise<Coordinator> {
    const broker = await this.#cluster?.findBroker({ nodeId })
    return broker as object as Coordinator
  }
}

function byTopic(positions: readonly PartitionOffset[]): readonly TopicCommit[] {
  const topics = new Map<string, TopicCommit>()
  for (const { topic, partition, offset, note = null } of positions) {
    const entry = topics.get(topic) ?? { topic, partitions: [] }
    topics.set(topic, entry)
    entry.partitions.push({ partition, offset: String(offset), metadata: note })
  }
  return [...topics.values()]
}
