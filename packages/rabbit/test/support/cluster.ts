import type { BrokerNode, RabbitBroker } from '@oslo-messaging/brokers'
import type { Health } from '@oslo-messaging/core/driver'

/** Version of the clusters of a run; `RABBIT_CLUSTER_VERSION=4.0.5` picks another. */
export const CLUSTER_VERSION: string = process.env['RABBIT_CLUSTER_VERSION'] ?? '3.10.8'

/** Index of the node that leads a queue (or holds it, where there is only one copy). Asks the node with index
 *  `askNode`. */
export async function leaderOf(broker: RabbitBroker, queue: string, vhost: string, askNode = 0): Promise<number> {
  const printed = await broker.control.eval(
    `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>,queue,<<"${queue}">>)),` +
      'case amqqueue:get_pid(Q) of {_,N}->N;P->node(P) end',
    askNode,
  )
  const index = broker.nodes.findIndex(({ name }) => printed.includes(`${name}@`))
  if (index < 0) throw new Error(`No node leads ${queue}: ${printed}`)
  return index
}

/** Index of the node to which a connection of the driver leads. */
export function nodeOf(broker: RabbitBroker, health: Health, connection: 'publishing' | 'consuming'): number {
  const host = health.components.find(({ kind, name }) => kind === 'connection' && name === connection)?.host
  return broker.nodes.findIndex(({ port }) => host === `127.0.0.1:${port}`)
}

/** Transport URL of some nodes only, in that order. */
export function urlOf(broker: RabbitBroker, vhost: string, nodes: readonly number[]): string {
  return broker.urlFor({ vhost, via: nodes.map((index) => nodeAt(broker, index)) })
}

export function nodeAt(broker: RabbitBroker, index: number): BrokerNode {
  const node = broker.nodes[index]
  if (node === undefined) throw new Error(`There is no node ${index}`)
  return node
}

/** Starts what a test has killed and waits until every node sees every other. */
export async function healed(broker: RabbitBroker): Promise<void> {
  for (const node of broker.nodes) await node.start()
  const running =
    'length(case erlang:function_exported(rabbit_nodes,list_running,0) of true->rabbit_nodes:list_running();' +
    'false->rabbit_nodes:all_running() end)'
  const endsAt = performance.now() + 90_000
  for (;;) {
    const seen = await Promise.all(
      broker.nodes.map(async (_, index) => await broker.control.eval(running, index).catch(() => 'down')),
    )
    if (seen.every((count) => count === String(broker.nodes.length))) return
    if (performance.now() > endsAt) throw new Error(`The nodes did not meet again: ${seen.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
