import type { Cluster } from 'kafkajs'
import { API_KEYS, type ClientPatches } from './client-patches.ts'

/** What kafkajs's brokers can do and its types do not say. */
interface Coordinator {
  leaveGroup: (member: { readonly groupId: string; readonly memberId: string }) => Promise<unknown>
}

export interface JoinWatch {
  /** Runs before every question for the coordinator, which is how kafkajs begins to join. Its REBALANCING event comes
   *  for some of these only, and is not waited for. */
  before(): Promise<void>
  /** A request to join is about to be written. `memberId`: the name under which the broker knows this member from
   *  then on; undefined: it has none yet. What is thrown here ends the attempt. */
  asked(memberId: string | undefined): void
}

/** Tells of joins as they happen.
 *  The broker names a member in its first answer and waits for that name from then on, before the group is dealt out.
 *  kafkajs tells the name only when all is done: a connection cut in between would leave a member nobody can take back,
 *  and hold the whole group up for a session timeout. */
export function watchJoins(patches: ClientPatches, watch: JoinWatch): void {
  patches.onCluster((cluster) => {
    const find = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async (group) => {
      await watch.before()
      return await find(group)
    }
  })
  patches.request(API_KEYS.joinGroup, (make) => (fields) => {
    const { memberId } = fields
    watch.asked(typeof memberId === 'string' && memberId !== '' ? memberId : undefined)
    return make(fields)
  })
}

/** Makes a client a static member: kafkajs knows the field in its requests and never fills it. It must not leave
 *  either, which would give its partitions to others at once. */
export function joinAs(patches: ClientPatches, instance: string): void {
  for (const key of [API_KEYS.joinGroup, API_KEYS.syncGroup, API_KEYS.heartbeat]) {
    patches.request(key, (make) => (fields) => make({ ...fields, groupInstanceId: instance }))
  }
  patches.onCluster((cluster) => {
    const find = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async (group) => {
      const coordinator = await find(group)
      const member = coordinator as object as Coordinator
      member.leaveGroup = async () => await Promise.resolve()
      return coordinator
    }
  })
}

/** The coordinator of a group, connected. */
export async function coordinatorOf(cluster: Cluster, groupId: string): Promise<Coordinator> {
  return (await cluster.findGroupCoordinator({ groupId })) as object as Coordinator
}
