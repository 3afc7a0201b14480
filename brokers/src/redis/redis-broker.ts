import type { DebianProgram } from '../debian.ts'
import { LocalBroker } from '../local-broker.ts'
import { answersRedis } from '../probe.ts'
import { ACCOUNT, startProgram } from '../program-broker.ts'

export interface RedisOptions {
  /** `7.0` (default) or `8.0`. */
  readonly version?: string
  /** Directives of the server's configuration file, `maxmemory` for example. */
  readonly config?: Readonly<Record<string, string>>
}

export const REDIS: DebianProgram & { readonly name: 'redis' } = {
  name: 'redis',
  package: 'redis-server',
  program: 'usr/bin/redis-server',
  versions: [
    { version: '7.0.15', suite: 'bookworm' },
    { version: '8.0.2', suite: 'trixie' },
  ],
}

/** Starts redis-server from Debian's package. Every write is on disk before it is answered, so that nothing confirmed
 *  is lost by `kill`. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startRedisFromPackages({ version, config = {} }: RedisOptions = {}): Promise<LocalBroker> {
  return await startProgram(
    {
      program: REDIS,
      lines: ({ port, data }) => [
        'bind 127.0.0.1',
        `port ${port}`,
        `dir ${data}`,
        'save ""',
        'appendonly yes',
        'appendfsync always',
        'user default off',
        `user ${ACCOUNT.user} on >${ACCOUNT.password} ~* &* +@all`,
        ...Object.entries(config).map(([key, value]) => `${key} ${value}`),
      ],
      args: (file) => [file],
      answers: answersRedis,
    },
    { version },
    (parts) => new LocalBroker(parts),
  )
}
