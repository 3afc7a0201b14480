export interface KafkaNodePorts {
  readonly plain: number
  readonly controller: number
  /** The listener behind the fault proxy ... */
  readonly proxied: number
  /** ... and the port that it tells clients to use, where the proxy will listen. */
  readonly advertised: number
}

export interface ServerPropertiesOptions {
  readonly id: number
  readonly own: KafkaNodePorts
  readonly all: readonly KafkaNodePorts[]
  readonly data: string
  /** Address to bind. Default 127.0.0.1. */
  readonly bind?: string
  /** Listeners beside the usual ones, for tests of TLS and SASL; what they need else is in `extra`. */
  readonly listeners?: readonly KafkaListenerPort[]
  readonly extra: Readonly<Record<string, string>>
}

export interface KafkaListenerPort {
  /** Upper case. */
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  readonly port: number
  /** Address to bind and to advertise; IPv6 without brackets. Default: as the others. */
  readonly host?: string
}

/** server.properties of a combined broker and controller, small and quick to come back. */
export function serverProperties(options: ServerPropertiesOptions): string {
  return Object.entries(serverSettings(options))
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

export function serverSettings(options: ServerPropertiesOptions): Record<string, string> {
  const { id, own, all } = options
  const bind = options.bind ?? '127.0.0.1'
  const more = options.listeners ?? []
  const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
  const moreAt = (usual: string): string =>
    more.map(({ name, port, host = usual }) => `,${name}://${inUrl(host)}:${port}`).join('')
  const replicas = String(Math.min(all.length, 3))
  const inSync = all.length < 3 ? '1' : '2'
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    listeners: `PLAINTEXT://${bind}:${own.plain},PROXIED://${bind}:${own.proxied},CONTROLLER://127.0.0.1:${own.controller}${moreAt(bind)}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${own.plain},PROXIED://127.0.0.1:${own.advertised}${moreAt('127.0.0.1')}`,
    'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT${more.map(({ name, protocol }) => `,${name}:${protocol}`).join('')}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': all.map((node, index) => `${index + 1}@127.0.0.1:${node.controller}`).join(','),
    'log.dirs': options.data,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed is let in again only after its old session has ended: 9 s by default.
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    ...(all.length > 1
      ? { 'controller.quorum.election.timeout.ms': '1000', 'controller.quorum.fetch.timeout.ms': '2000' }
      : {}),
    // 128 MB of heap by default, half of what the whole broker needs here.
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.segment.delete.delay.ms': '1000',
    ...options.extra,
  }
}
