import assert from 'node:assert/strict'
import { getNotificationListener, getRpcClient, Target } from '@oslo-messaging/core'
import { openNotificationTransport, openRpcTransport } from '../api.ts'
import type { ConformanceCase, Need } from '../case.ts'
import type { Harness } from '../harness.ts'
import { assertCode } from '../messages.ts'

interface Refusal {
  readonly capability: string
  readonly needs: readonly Need[]
  /** Builds what the driver cannot do. */
  readonly build: (harness: Harness) => Promise<unknown>
}

const refusals: readonly Refusal[] = [
  { capability: 'rpc', needs: ['no rpc'], build: (harness) => openRpcTransport(harness) },
  { capability: 'notifications', needs: ['no notifications'], build: (harness) => openNotificationTransport(harness) },
  {
    capability: 'rpcFanout',
    needs: ['rpc', 'no rpcFanout'],
    build: async (harness) => getRpcClient(await openRpcTransport(harness), new Target({ topic: 't', fanout: true })),
  },
  {
    capability: 'rpcCallMonitoring',
    needs: ['rpc', 'no rpcCallMonitoring'],
    build: async (harness) =>
      getRpcClient(await openRpcTransport(harness), new Target({ topic: 't' }), { callMonitorTimeoutMs: 2000 }),
  },
  {
    capability: 'rpcAtLeastOnce',
    needs: ['rpc', 'no rpcAtLeastOnce'],
    build: async (harness) =>
      getRpcClient(await openRpcTransport(harness), new Target({ topic: 't' }), {
        transportOptions: { atLeastOnce: true },
      }),
  },
  {
    capability: 'requeue',
    needs: ['notifications', 'no requeue'],
    build: async (harness) =>
      getNotificationListener(await openNotificationTransport(harness), [new Target({ topic: 't' })], [{ info() {} }], {
        allowRequeue: true,
      }),
  },
  {
    capability: 'pools',
    needs: ['notifications', 'no pools'],
    build: async (harness) =>
      getNotificationListener(await openNotificationTransport(harness), [new Target({ topic: 't' })], [{ info() {} }], {
        pool: 'p',
      }),
  },
  {
    capability: 'startPositions',
    needs: ['notifications', 'no startPositions'],
    build: async (harness) =>
      getNotificationListener(await openNotificationTransport(harness), [new Target({ topic: 't' })], [{ info() {} }], {
        startFrom: 'earliest',
      }),
  },
]

/** What the driver does not declare is refused by name while it is built, not at first use. */
export const refusalCases: readonly ConformanceCase[] = refusals.map(({ capability, needs, build }) => ({
  name: `refusal - without ${capability}, asking for it fails while it is built and names it`,
  needs,
  async run(harness) {
    const error = await harness.rejection(build(harness), `asking for ${capability}`)
    assertCode(error, 'UNSUPPORTED', `asking for ${capability}`)
    assert.equal(error['capability'], capability)
  },
}))
