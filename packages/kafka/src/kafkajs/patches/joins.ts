import type { Cluster } from 'kafkajs'
import { faultOf } from '../fault.ts'
import { API_KEYS, type ClientPatches } from './client-patches.ts'
import { isFunction, shaped } from './internals.ts'

/** What kafkajs's brokers can do and its types do not say. */
interface Coordinator {
  joinGroup: (request: { readonly memberId: string }) => Promise<unknown>
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

/** Has a client join under the name of its last session, until the group says that it does not know that one.
 *  kafkajs always begins without a name and is given one; if its connection breaks before it hears that, the group
 *  waits a session timeout for a member that does not know itself. */
export function joinAgainAs(patches: ClientPatches, formerMember: string): void {
  let name = formerMember
  const known = new WeakSet<object>()
  patches.onCluster((cluster) => {
    const find = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async (group) => {
      const coordinator = await find(group)
      const broker = coordinator as object as Coordinator
      if (known.has(broker)) return coordinator
      known.add(broker)
      const join = shaped(broker.joinGroup, isFunction, 'broker.joinGroup').bind(broker) as Coordinator['joinGroup']
      broker.joinGroup = async (request) => {
        try {
          return await join({ ...request, memberId: request.memberId === '' ? name : request.memberId })
        } catch (error) {
          if (faultOf(error).type === 'UNKNOWN_MEMBER_ID') name = ''
          throw error
        }
      }
      return coordinator
    }
  })
}

/** The coordinator of a group, connected. */
export async function coordinatorOf(cluster: Cluster, groupId: string): Promise<Coordinator> {
  return (await cluster.findGroupCoordinator({ groupId })) as object as Coordinator
}
