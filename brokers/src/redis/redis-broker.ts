import { mkdir } from 'node:fs/promises'

import { type DebianProgram, unpackedProgram } from '../debian.ts'
import { LocalBroker } from '../local-broker.ts'
import { freePorts } from '../ports.ts'
import { answersRedis } from '../probe.ts'
import { ProcessNode } from '../process-node.ts'
import { Workspace } from '../workspace.ts'

export interface RedisOptions {
  /** `7.0` (default) or `8.0`. */
  readonly version?: string
  /** Directives of the server's configuration file, `maxmemory` for example. */
  readonly config?: Readonly<Record<string, string>>
}

export const REDIS: DebianProgram = {
  broker: 'redis',
  package: 'redis-server',
  program: 'usr/bin/redis-server',
  versions: [
    { version: '7.0.15', suite: 'bookworm' },
    { version: '8.0.2', suite: 'trixie' },
  ],
}
const USER = { scheme: 'redis', user: 'app', password: 'secret' } as const

/** A Redis server of our own. Every write is on disk before it is answered, so that nothing confirmed is lost by `kill`. */
export class RedisBroker extends LocalBroker {
  constructor(version: string, node: ProcessNode, dispose: () => Promise<void>) {
    super({ name: 'redis', version, source: 'packages', nodes: [node], url: USER, dispose })
  }
}

/** Starts redis-server from Debian's package. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startRedisFromPackages(options: RedisOptions = {}): Promise<RedisBroker> {
  const { command, version } = await unpackedProgram(REDIS, options.version)
  const workspace = await Workspace.create('redis')
  const [port = 0] = await freePorts(1)
  const data = workspace.path('data')
  await mkdir(data)
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${data}`,
    'save ""',
    'appendonly yes',
    'appendfsync always',
    'user default off',
    `user ${USER.user} on >${USER.password} ~* &* +@all`,
    ...Object.entries(options.config ?? {}).map(([key, value]) => `${key} ${value}`),
  ]
  const file = await workspace.write('redis.conf', `${lines.join('\n')}\n`)
  const node = new ProcessNode({
    broker: 'redis',
    name: 'n1',
    host: '127.0.0.1',
    port,
    command,
    args: [file],
    env: process.env,
    workspace,
    logFile: workspace.path('redis.log'),
    answers: () => answersRedis({ host: '127.0.0.1', port }),
  })
  const broker = new RedisBroker(version, node, () => workspace.close())
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
