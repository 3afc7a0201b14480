import type { PatchedCluster } from './client-patches.ts'

/** Lets a consumer that was told to stop find no brokers any more.
 *  When the brokers of a cluster change, kafkajs waits for the fetches under way and begins new ones. A stop in that
 *  moment ends the old ones only,
 *  and the new ones, of a consumer that is not running, return at once: they fetch for ever without a turn of the event
 *  loop, and the process stands still.
 *  Without brokers it begins none, and ends. */
export function endsWhenClosing(cluster: PatchedCluster, isClosing: () => boolean): void {
  const nodes = cluster.getNodeIds.bind(cluster)
  cluster.getNodeIds = () => (isClosing() ? [] : nodes())
}
