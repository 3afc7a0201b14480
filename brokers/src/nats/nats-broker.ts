import type { DebianProgram } from '../debian.ts'
import type { LocalBroker } from '../local-broker.ts'
import { answersNats } from '../probe.ts'
import { ACCOUNT, startProgram } from '../program-broker.ts'

export interface NatsOptions {
  /** `2.9` (default) or `2.10`. */
  readonly version?: string
  /** Keeps messages for consumers (default true). Without it the server only passes them on. */
  readonly jetstream?: boolean
  /** Lines of the server's configuration file, `max_payload` for example. */
  readonly config?: Readonly<Record<string, string>>
}

export const NATS: DebianProgram = {
  broker: 'nats',
  package: 'nats-server',
  program: 'usr/sbin/nats-server',
  versions: [
    { version: '2.9.10', suite: 'bookworm' },
    { version: '2.10.27', suite: 'trixie' },
  ],
}

/** Starts nats-server from Debian's package, with JetStream in a temporary folder. Rejects with BrokerUnavailable or
 *  BrokerStartFailed. */
export async function startNatsFromPackages(options: NatsOptions = {}): Promise<LocalBroker> {
  const { version, jetstream = true, config = {} } = options
  return await startProgram(
    {
      program: NATS,
      lines: ({ port, data }) => [
        `listen: "127.0.0.1:${port}"`,
        `authorization { user: ${ACCOUNT.user}, password: ${ACCOUNT.password} }`,
        // A client that is silent for so long is dead.
        'ping_interval: "5s"',
        ...(jetstream ? [`jetstream { store_dir: "${data}" }`] : []),
        ...Object.entries(config).map(([key, value]) => `${key}: ${value}`),
      ],
      args: (file) => ['-c', file],
      answers: answersNats,
    },
    version,
  )
}
