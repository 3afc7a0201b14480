import type { ConfigOverrides } from '@oslo-messaging/core'
import { expect } from 'vitest'

import { unique } from '../../test/support/ours.ts'
import { settingsOf } from '../matrix/stage-run.ts'
import { OurSide } from '../our-side.ts'
import { PythonSide } from '../python-side.ts'
import type { LiveClient, LiveServer, Side } from '../side.ts'

/** Clients and servers of both libraries that call each other. */
export interface Pairs extends AsyncDisposable {
  /** Does something while each client waits for its server. All of them get their answers, and those of the next
   *  calls. */
  callDuring(something: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** Three pairs, each on a topic of its own with a server `one`: ours to ours, ours to Python and Python to ours. */
export async function openPairs(
  urls: Readonly<Record<Side['kind'], string>>,
  settings: ConfigOverrides,
  { python, version }: { readonly python: string; readonly version: string },
  topics: readonly [string, string, string] = [unique('failover'), unique('failover'), unique('failover')],
): Promise<Pairs> {
  const ours = new OurSide(urls.ours, settings)
  const theirs = await PythonSide.start({ python, version, url: urls.python, settings: settingsOf(settings) })
  const ways = [
    ['ours to ours', topics[0], ours, ours],
    ['ours to python', topics[1], ours, theirs],
    ['python to ours', topics[2], theirs, ours],
  ] as const
  const pairs: { readonly title: string; readonly client: LiveClient; readonly server: LiveServer }[] = []
  for (const [title, topic, caller, callee] of ways) {
    const server = await callee.serve({ topic, server: 'one' })
    const client = await caller.client({ target: { topic, server: 'one' }, timeoutMs: 60_000 })
    pairs.push({ title, client, server })
  }
  const titles = pairs.map(({ title }) => title)
  let rounds = 0
  return {
    callDuring: async (something) => {
      const mark = (rounds += 1)
      const calls = pairs.map(({ client }) => client.call('sleep', { seconds: 8, value: mark }))
      const begun = (): string[] =>
        pairs
          .filter(({ server }) => server.requests.items.some(({ args }) => args['value'] === mark))
          .map(({ title }) => title)
      await expect.poll(begun, { timeout: 30_000 }).toEqual(titles)
      await something()
      const answers = await Promise.all(calls)
      const told = titles.map((title, index) => [title, answers[index]?.error?.message ?? answers[index]?.value])
      expect(told).toEqual(titles.map((title) => [title, mark]))
      const after = await Promise.all(pairs.map(({ client }) => client.call('ping')))
      expect(after.map(({ value }) => value)).toEqual(titles.map(() => 'pong'))
    },
    close: async () => void (await Promise.all([ours.close(), theirs.close()])),
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all([ours[Symbol.asyncDispose](), theirs[Symbol.asyncDispose]()])),
  }
}
