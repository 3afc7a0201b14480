import { skipOrFail } from '@oslo-messaging/brokers'
import { type ConfigOverrides, PRIORITIES } from '@oslo-messaging/core'

import { unique } from '../../test/support/ours.ts'
import type { NotifyScene, RpcScene } from '../features/feature.ts'
import { OurSide } from '../our-side.ts'
import { PythonSide } from '../python-side.ts'
import type { ServeOptions, Side } from '../side.ts'
import { type Release, pythonOf, RELEASES } from '../transports/releases.ts'
import type { TransportRow } from '../transports/row.ts'
import { type Venue, venue } from '../transports/venues.ts'
import type { Pair } from './cell.ts'

const ENDPOINTS: NonNullable<ServeOptions['endpoints']> = [
  { namespace: null, version: '1.5' },
  { namespace: 'ns', version: '1.2' },
]

/** Both sides of a row, opened, and the scenes on them. */
export interface OpenStage {
  readonly venue: Venue
  /** Where the Python came from. */
  readonly pythonFrom: string
  rpc(pair: Pair): Promise<RpcScene>
  notify(pair: Pair): NotifyScene
  /** Stops everything in order; rejects when a side does not. */
  close(): Promise<void>
  /** Ends what is left, for a run that goes wrong. */
  abort(): Promise<void>
}

/** Undefined (and a line that says why) when this machine cannot have the broker or the Python. */
export async function openStage(row: TransportRow, release: Release): Promise<OpenStage | undefined> {
  const place = await skipOrFail(venue(row.venue))
  const found = await skipOrFail(pythonOf(release))
  if (place === undefined || found === undefined) return undefined
  const url = await place.url(row.vhost)
  const common = merged(row.settings, place.settings)
  const ours = new OurSide(url, merged(common, row.ours ?? {}, ownNames(row.settings, 'ours')))
  const python = await PythonSide.start({
    python: found.python,
    version: RELEASES[release].version,
    url,
    settings: settingsOf(merged(common, row.python ?? {}, ownNames(row.settings, 'python'))),
  })
  const sides = (pair: Pair): readonly [Side, Side] => {
    if (pair === 'python to python') return [python, python]
    if (pair === 'ours to ours') return [ours, ours]
    return pair === 'ours to python' ? [ours, python] : [python, ours]
  }
  const rpcScenes = new Map<Pair, Promise<RpcScene>>()
  return {
    venue: place,
    pythonFrom: found.from,
    rpc: (pair) => {
      const scene = rpcScenes.get(pair) ?? openRpcScene(...sides(pair))
      rpcScenes.set(pair, scene)
      return scene
    },
    notify: (pair) => notifyScene(row, place, ...sides(pair)),
    close: async () => {
      const closed = await Promise.allSettled([ours.close(), python.close()])
      for (const each of closed) if (each.status === 'rejected') throw each.reason
    },
    abort: async () => {
      python.kill()
      await ours.close()
    },
  }
}

async function openRpcScene(caller: Side, callee: Side): Promise<RpcScene> {
  const [topic, reference] = [unique('topic'), unique('reference')]
  const serve = (side: Side, at: string, server: string): ReturnType<Side['serve']> =>
    side.serve({ topic: at, server, endpoints: ENDPOINTS })
  const options = { target: { topic }, timeoutMs: 20_000 }
  const [one, two, client, stranger] = await Promise.all([
    serve(callee, topic, 'one'),
    serve(callee, topic, 'two'),
    caller.client({ ...options, allowDemoErrors: true }),
    caller.client(options),
    serve(caller, reference, 'reference'),
  ])
  return { caller, callee, topic, one, two, client, stranger, reference }
}

function notifyScene(row: TransportRow, place: Venue, teller: Side, listener: Side): NotifyScene {
  const isKafka = row.venue.startsWith('kafka')
  return {
    teller,
    listener,
    prefetch: Number(row.settings['oslo_messaging_rabbit']?.['rabbit_qos_prefetch_count'] ?? Infinity),
    topic: async (word) => {
      const topic = unique(word)
      const names = PRIORITIES.map((priority) => `${topic}.${priority}`)
      const { vhost } = row
      await place.createTopics(vhost === undefined ? names : [...names, ...names.map((name) => `${name}.${vhost}`)])
      return topic
    },
    notifier: (options) => teller.notifier(options),
    listen: (options) =>
      listener.listen(isKafka && options.pool === undefined ? { ...options, pool: unique('group') } : options),
  }
}

/** What two programs with the queue manager must not have in common on one machine, and what Python needs besides. */
export function ownNames(settings: ConfigOverrides, who: Side['kind']): ConfigOverrides {
  if (settings['oslo_messaging_rabbit']?.['use_queue_manager'] !== true) return {}
  return {
    oslo_messaging_rabbit: { processname: unique(who) },
    ...(who === 'python' ? { oslo_concurrency: { lock_path: '/tmp' } } : {}),
  }
}

/** Options of several sources, later ones win. */
export function merged(...all: readonly ConfigOverrides[]): ConfigOverrides {
  const result: Record<string, object> = {}
  for (const overrides of all)
    for (const [group, options] of Object.entries(overrides)) result[group] = { ...result[group], ...options }
  return result as ConfigOverrides
}

/** As oslo.config reads them from a file. */
export function settingsOf(overrides: ConfigOverrides): string[] {
  return Object.entries(overrides).flatMap(([group, options]) =>
    Object.entries(options ?? {}).map(
      ([name, value]) => `${group}.${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    ),
  )
}
