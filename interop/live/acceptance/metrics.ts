import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import { type RpcFeature, rpc } from '../features/feature.ts'
import { PythonSide } from '../python-side.ts'

/** Python tells a collector over a socket; ours tells whoever subscribes to its diagnostics channels. */
export const metricsTests: readonly RpcFeature[] = [
  rpc(
    'MetricsTestCase.test_functional',
    async ({ caller, callee }) => {
      const topic = unique('metrics')
      const server = await callee.serve({ topic, server: 'one' })
      const client = await caller.client({ target: { topic }, timeoutMs: 10_000 })
      const counts: Record<string, number> = { start: 0, end: 0, duration: 0 }
      if (caller instanceof PythonSide) {
        await client.call('ping')
        const names = async (): Promise<readonly string[]> =>
          (await caller.do('collected', { topic })) as readonly string[]
        await expect.poll(async () => (await names()).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3)
        const seen = await names()
        const of = (metric: string): number => seen.filter((each) => each === `rpc_client_${metric}`).length
        counts['start'] = of('invocation_start_total')
        counts['end'] = of('invocation_end_total')
        counts['duration'] = of('processing_seconds')
      } else {
        const ofThis = (event: unknown): event is { target: string; durationMs?: number } =>
          JSON.stringify(event).includes(topic)
        const onStart = (event: unknown): void => {
          if (ofThis(event)) counts['start'] = (counts['start'] ?? 0) + 1
        }
        const onEnd = (event: unknown): void => {
          if (!ofThis(event)) return
          counts['end'] = (counts['end'] ?? 0) + 1
          if (typeof event.durationMs === 'number') counts['duration'] = (counts['duration'] ?? 0) + 1
        }
        subscribe('oslo-messaging:rpc-client:start', onStart)
        subscribe('oslo-messaging:rpc-client:end', onEnd)
        await client.call('ping')
        unsubscribe('oslo-messaging:rpc-client:start', onStart)
        unsubscribe('oslo-messaging:rpc-client:end', onEnd)
      }
      expect(counts).toEqual({ start: 1, end: 1, duration: 1 })
      await server.stop()
    },
    ['labelled metrics'],
  ),
]
