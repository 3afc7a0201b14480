import type { Cluster } from 'kafkajs'

/** What kafkajs's brokers can do and its types do not say. */
export interface Coordinator {
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
  /** Finds the encoder of a request in the version both sides know; connecting sets it anew. */
  lookupRequest: RequestLookup
}

type RequestLookup = (key: number, definition: unknown) => (fields: RequestFields) => unknown

interface RequestFields {
  readonly memberId?: unknown
  readonly groupProtocols?: unknown
}

export interface JoinWatch {
  /** Runs before every question for the coordinator, which is how kafkajs begins to join. Its REBALANCING event comes for some of these only, and is not waited for. */
  before(): Promise<void>
  /** The name under which the broker is about to know this member. */
  named(memberId: string): void
}

const watched = new WeakSet<RequestLookup>()

/** Tells of joins as they happen.
 *  The broker names a member in its first answer and waits for that name from then on, before the group is dealt out. kafkajs tells the name only when all is done:
 *  a connection cut in between would leave a member nobody can take back, and hold the whole group up for a session timeout. */
export function watchJoins(cluster: Cluster, watch: JoinWatch): void {
  const find = cluster.findGroupCoordinator.bind(cluster)
  cluster.findGroupCoordinator = async (group) => {
    await watch.before()
    const broker = await find(group)
    watchNames(broker as object as Coordinator, watch)
    return broker
  }
}

/** The coordinator of a group, connected. */
export async function coordinatorOf(cluster: Cluster, groupId: string): Promise<Coordinator> {
  return (await cluster.findGroupCoordinator({ groupId })) as object as Coordinator
}

function watchNames(broker: Coordinator, watch: JoinWatch): void {
  if (watched.has(broker.lookupRequest)) return
  const lookup = broker.lookupRequest
  broker.lookupRequest = (key, definition) => {
    const encode = lookup(key, definition)
    return (fields) => {
      const { memberId, groupProtocols } = fields
      // Only the request to join carries protocols.
      if (groupProtocols !== undefined && typeof memberId === 'string' && memberId !== '') watch.named(memberId)
      return encode(fields)
    }
  }
  watched.add(broker.lookupRequest)
}
