import type { RabbitBroker } from '@oslo-messaging/brokers'

import { nodeAt } from '../../../packages/rabbit/test/support/cluster.ts'
import { RecordingProxy } from '../../golden/rabbit/recording-proxy.ts'
import type { Side } from '../side.ts'

/** Recorded ways to some nodes of a cluster, for each library its own. */
export interface Ways extends AsyncDisposable {
  readonly urls: Readonly<Record<Side['kind'], string>>
  /** The libraries to which the broker has sent that method. */
  whoWasTold(method: string): readonly Side['kind'][]
}

export async function openWays(broker: RabbitBroker, vhost: string, nodes: readonly number[]): Promise<Ways> {
  const open = async (): Promise<RecordingProxy[]> =>
    await Promise.all(nodes.map(async (index) => await RecordingProxy.open(nodeAt(broker, index))))
  const proxies = { ours: await open(), python: await open() }
  const urlThrough = (via: readonly RecordingProxy[]): string =>
    broker.urlFor({ vhost, via: via.map(({ port }) => ({ host: '127.0.0.1', port })) })
  return {
    urls: { ours: urlThrough(proxies.ours), python: urlThrough(proxies.python) },
    whoWasTold: (method) =>
      (['ours', 'python'] as const).filter((kind) =>
        proxies[kind].some(({ frames }) =>
          frames.some((frame) => frame.direction === 'received' && frame.method === method),
        ),
      ),
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all(
        [...proxies.ours, ...proxies.python].map(async (proxy) => await proxy[Symbol.asyncDispose]()),
      )),
  }
}
