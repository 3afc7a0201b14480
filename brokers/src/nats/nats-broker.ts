import type { DebianProgram } from '../debian.ts'
import { LocalBroker } from '../local-broker.ts'
import { answersJetStream, answersNats } from '../probe.ts'
import { ACCOUNT, type ProgramParts, startProgram } from '../program-broker.ts'

export interface NatsOptions {
  /** `2.9` (default) or `2.10`. */
  readonly version?: string
  /** A cluster of this many servers. Default 1. */
  readonly nodes?: number
  /** Keeps messages for consumers (default true). Without it the server only passes them on. */
  readonly jetstream?: boolean
  /** Lines of the server's configuration file, `max_payload` for example. */
  readonly config?: Readonly<Record<string, string>>
}

export const NATS: DebianProgram & { readonly name: 'nats' } = {
  name: 'nats',
  package: 'nats-server',
  program: 'usr/sbin/nats-server',
  versions: [
    { version: '2.9.10', suite: 'bookworm' },
    { version: '2.10.27', suite: 'trixie' },
  ],
}

/** A list of users even of one: a server that is told anew keeps the list when a single user takes its place. */
const accountWith = (permissions: string): string =>
  `authorization { users: [{ user: ${ACCOUNT.user}, password: ${ACCOUNT.password}${permissions} }] }`
const ALL_RIGHTS = accountWith('')
const NO_RIGHTS = accountWith(', permissions: { publish: { deny: ">" }, subscribe: { deny: ">" } }')

/** nats-server of our own. */
export class NatsBroker extends LocalBroker {
  readonly #rewrite: ProgramParts['rewrite']

  constructor(parts: ProgramParts) {
    super(parts)
    this.#rewrite = parts.rewrite
  }

  /** Takes all rights from the test user, or gives them back. The server ends its subscriptions. */
  async setRights(hasRights: boolean): Promise<void> {
    await this.#rewrite((line) => (line === ALL_RIGHTS && !hasRights ? NO_RIGHTS : line))
    for (const pid of this.pids) process.kill(pid, 'SIGHUP')
  }
}

/** Starts nats-server from Debian's package, with JetStream in a temporary folder. Rejects with BrokerUnavailable or
 *  BrokerStartFailed. */
export async function startNatsFromPackages(options: NatsOptions = {}): Promise<NatsBroker> {
  const { version, nodes = 1, jetstream = true, config = {} } = options
  return await startProgram(
    {
      program: NATS,
      lines: ({ name, port, peerPort, peerPorts, data }) => [
        `listen: "127.0.0.1:${port}"`,
        ...(nodes === 1 ? [] : clusterOf(name, peerPort, peerPorts)),
        ALL_RIGHTS,
        // A client that is silent for so long is dead.
        'ping_interval: "5s"',
        ...(jetstream ? [`jetstream { store_dir: "${data}" }`] : []),
        ...Object.entries(config).map(([key, value]) => `${key}: ${value}`),
      ],
      args: (file) => ['-c', file],
      answers: nodes > 1 && jetstream ? (at) => answersJetStream(at, ACCOUNT) : answersNats,
    },
    { version, nodes },
    (parts) => new NatsBroker(parts),
  )
}

function clusterOf(name: string, peerPort: number, peerPorts: readonly number[]): readonly string[] {
  const routes = peerPorts.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
  return [`server_name: ${name}`, `cluster { name: brokers, listen: "127.0.0.1:${peerPort}", routes: [${routes}] }`]
}
