import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import type { RpcScene } from '../features/feature.ts'
import type { Fields, LiveClient, LiveServer, LiveTarget } from '../side.ts'

/** Three servers on one topic and a client, as the library's own tests have them. */
export interface Group {
  readonly servers: readonly LiveServer[]
  /** Target fields that lead to one of them. */
  to(index: number): { readonly target: LiveTarget }
  readonly client: LiveClient
  /** `{ total, text }` of each server. */
  states(): Promise<readonly Fields[]>
  stop(): Promise<void>
}

export async function openGroup({ caller, callee }: RpcScene, exchange?: string): Promise<Group> {
  const topic = unique('group')
  const names = ['server0', 'server1', 'server2']
  const where = exchange === undefined ? { topic } : { topic, exchange }
  const [client, ...servers] = await Promise.all([
    caller.client({ target: where, timeoutMs: 10_000 }),
    ...names.map((server) => callee.serve({ ...where, server })),
  ])
  const to = (index: number): { target: LiveTarget } => ({ target: { server: names[index] ?? '' } })
  return {
    servers,
    to,
    client,
    states: async () =>
      await Promise.all(names.map(async (_, index) => valueOf(await client.call('state', {}, to(index))) as Fields)),
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}

/** What a call gave; fails when it did not give anything. */
export function valueOf({ value, error }: Awaited<ReturnType<LiveClient['call']>>): unknown {
  expect(error).toBeUndefined()
  return value
}

export const EMPTY: Fields = { total: 0, text: '' }
