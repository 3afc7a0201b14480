import type { TransportURL } from '@oslo-messaging/core/driver'
import type { RabbitOptions } from '../config.ts'

/** One broker with the credentials that belong to it. */
export interface BrokerHost {
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly password: string
}

const DEFAULT_PORT = 5672

/** Hosts of a URL with what Python's library fills in: guest/guest, port 5672, localhost. Each host has its own
 *  credentials. Source: WIRE 6.1, 6.10. */
export function hostsOf(url: TransportURL): readonly BrokerHost[] {
  const hosts = url.hosts.map(({ hostname, port, username, password }) => ({
    hostname: hostname === null || hostname === '' ? 'localhost' : hostname,
    port: port ?? DEFAULT_PORT,
    username: username === null || username === '' ? 'guest' : username,
    password: password ?? (username === null || username === '' ? 'guest' : ''),
  }))
  return hosts.length > 0
    ? hosts
    : [{ hostname: 'localhost', port: DEFAULT_PORT, username: 'guest', password: 'guest' }]
}

/** `/` when the URL has no virtual host or an empty one. */
export function virtualHostOf(url: TransportURL): string {
  return url.virtualHost === null || url.virtualHost === '' ? '/' : url.virtualHost
}

export function hostText({ hostname, port }: BrokerHost): string {
  return hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`
}

/** The order in which hosts are tried, one pass at a time: shuffled once and then round robin, or shuffled for every
 *  pass. */
export function createHostOrder(
  hosts: readonly BrokerHost[],
  strategy: RabbitOptions['kombu_failover_strategy'],
  random: () => number,
): { nextPass(): readonly BrokerHost[]; connected(host: BrokerHost): void } {
  let order = shuffle(hosts, random)
  return {
    nextPass() {
      if (strategy === 'shuffle') order = shuffle(hosts, random)
      return order
    },
    connected(host) {
      // Round robin: after a loss the next host has its turn before the same one.
      const index = order.indexOf(host)
      if (index >= 0) order = [...order.slice(index + 1), ...order.slice(0, index + 1)]
    },
  }
}

function shuffle<T>(values: readonly T[], random: () => number): readonly T[] {
  const shuffled = [...values]
  for (let index = shuffled.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1))
    const [a, b] = [shuffled[index], shuffled[other]]
    if (a === undefined || b === undefined) continue
    shuffled[index] = b
    shuffled[other] = a
  }
  return shuffled
}
