import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Broker } from '@oslo-messaging/brokers'
import type { ConformanceKnobs, ConformanceOptions, LastingLever } from '@oslo-messaging/conformance'
import type { FaultProxy } from '@oslo-messaging/conformance/faults'
import type { Subject, Versioned } from '@oslo-messaging/conformance/results'
import { type Driver, type DriverDefinition, type ResolvedOptions, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'

/** A driver at a broker, ready to be tested. */
export interface Bench extends AsyncDisposable {
  readonly subject: Subject
  readonly options: Pick<ConformanceOptions, 'capabilities' | 'createDriver' | 'knobs'>
  /** The same driver at several nodes of the same broker, for the cases that kill one. */
  readonly cluster?: () => Promise<Bench>
}

/** What differs from driver to driver. */
export interface BenchParts {
  readonly broker: Broker
  readonly driver: string
  /** Beside the driver, by its name, or elsewhere. */
  readonly library: string | Versioned
  readonly definition: Pick<DriverDefinition, 'capabilities'>
  readonly createDriver: (proxies: readonly FaultProxy[]) => ConformanceOptions['createDriver']
  readonly knobs: ConformanceKnobs
  /** Takes away what the test user may do, from now on or from its next login on; what it resolves with gives it
   *  back. */
  readonly revoke?: LastingLever
  readonly cluster?: () => Promise<Bench>
  /** Ends what the bench has besides the broker. */
  readonly close?: () => Promise<void>
}

/** A bench with a proxy before each node of the broker. */
export async function atBroker(title: string, parts: BenchParts): Promise<Bench> {
  const { broker, driver, library, definition, createDriver, knobs, revoke, cluster, close } = parts
  const proxies = await Promise.all(broker.nodes.map((_, node) => broker.proxy(node)))
  return {
    subject: {
      title,
      driver: versionOf(driver),
      library: typeof library === 'string' ? libraryOf(driver, library) : library,
      broker: { name: broker.name, version: broker.version },
    },
    options: {
      capabilities: definition.capabilities,
      createDriver: createDriver(proxies),
      knobs: {
        timeScale: 2,
        ...knobs,
        levers: {
          proxies: () => proxies,
          ...(revoke === undefined ? {} : { revoke: throughCut(revoke, proxies) }),
          ...(broker.nodes.length > 1 ? { killNode: killBusiest(broker, proxies) } : {}),
          ...(cluster === undefined ? {} : { killNode: () => Promise.reject(new Error('There is one node here')) }),
          ...knobs.levers,
        },
      },
    },
    ...(cluster === undefined ? {} : { cluster }),
    [Symbol.asyncDispose]: async () => {
      await close?.()
      await broker.close()
    },
  }
}

/** What a connection has, many brokers leave to it until it ends. */
function throughCut(revoke: LastingLever, proxies: readonly FaultProxy[]): LastingLever {
  return async () => {
    const giveBack = await revoke()
    for (const proxy of proxies) proxy.reset()
    return giveBack
  }
}

/** Kills the node that most connections lead to. It stays away: the cluster was started for this and ends with it. */
function killBusiest({ nodes }: Broker, proxies: readonly FaultProxy[]): LastingLever {
  return async () => {
    const counts = proxies.map(({ connections }) => connections)
    const node = nodes[counts.indexOf(Math.max(...counts))]
    if (node === undefined) throw new Error('There is no node')
    await node.kill()
    return () => Promise.resolve()
  }
}

/** Opens a driver with options as a configuration would give them. */
export async function open<Options extends ResolvedOptions>(
  definition: DriverDefinition<Options>,
  url: string,
  options: ResolvedOptions = {},
  defaultExchange = 'openstack',
): Promise<Driver> {
  return await definition.open(TransportURL.parse(url), createDriverContext(definition, { options, defaultExchange }))
}

const require = createRequire(import.meta.url)

/** What a package of the workspace says of itself. */
export function versionOf(name: string): Versioned {
  const { version } = require(`${name}/package.json`) as { readonly version: string }
  return { name, version }
}

/** The client library beside a driver. Read as a file, because not every library lets its package.json be imported. */
function libraryOf(driver: string, name: string): Versioned {
  const path = join(dirname(require.resolve(`${driver}/package.json`)), 'node_modules', name, 'package.json')
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
  return { name, version }
}
