import type { FaultProxy } from '@oslo-messaging/conformance/faults'

export type BrokerName = 'rabbit' | 'kafka' | 'artemis' | 'broker-j' | 'nats' | 'redis'

/** Where a broker came from: a URL in the environment, a container, or packages unpacked into the cache. */
export type BrokerSource = 'environment' | 'docker' | 'packages'

export interface HostPort {
  readonly host: string
  readonly port: number
}

export interface UrlOptions {
  /** Virtual host; percent-encoded where it must be. Default: none in the URL, which is `/` for RabbitMQ. */
  readonly vhost?: string
  /** Default: the broker's own test user, or none for a broker that asks for none. */
  readonly user?: string
  readonly password?: string
  /** Lead through these addresses (fault proxies, for example) instead of the broker's own, in this order. */
  readonly via?: readonly HostPort[]
}

/** What a program needs to use a broker. */
export interface BrokerAddress {
  readonly name: BrokerName
  /** As the broker was asked for or as its package says, `3.10.8` for example; `unknown` for one from the
   *  environment. */
  readonly version: string
  readonly source: BrokerSource
  /** Transport URL with all hosts and the broker's test user. */
  readonly url: string
  readonly hosts: readonly HostPort[]
  urlFor(options?: UrlOptions): string
}

/** One process (or container) of a broker. */
export interface BrokerNode extends HostPort {
  /** Node name: `n1`, `n2`, ... */
  readonly name: string
  /** Process id; undefined while it is stopped and for a container. */
  readonly pid: number | undefined
  /** Starts it on the data it left. Resolves when its protocol answers on the port; no effect while it runs. */
  start(): Promise<void>
  /** Orderly stop; the data stays for `start`. */
  stop(): Promise<void>
  /** SIGKILL; resolves when the process is gone. The data stays. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and silent, new ones are taken by the kernel and never answered. */
  freeze(): Promise<void>
  thaw(): Promise<void>
}

/** A broker that this process started and may break. The methods act on all nodes; `nodes[i]` has them one by one. */
export interface Broker extends BrokerAddress, AsyncDisposable {
  readonly nodes: readonly BrokerNode[]
  /** The ports of `hosts`. */
  readonly ports: readonly number[]
  /** Process ids of the running nodes, in the order of `nodes`. */
  readonly pids: readonly number[]
  /** Starts stopped or killed nodes again, on the same data and ports. */
  start(): Promise<void>
  /** Orderly stop; data stays for `start()`, and is removed by `close()` or with this process. */
  stop(): Promise<void>
  /** Away and back with the same data, in the quickest orderly way the broker has. */
  restart(): Promise<void>
  kill(): Promise<void>
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** A proxy in front of a node (default the first) to cut, stall and delay connections. Closed with the broker. */
  proxy(node?: number): Promise<FaultProxy>
  /** Ends everything that belongs to the broker and removes its data. Idempotent; also `await using`. */
  close(): Promise<void>
}

/** How a broker's transport URL is written. */
export interface UrlShape {
  readonly scheme: string
  readonly user?: string | undefined
  readonly password?: string | undefined
}

/** `scheme://user:password@host:port,.../vhost`; credentials are repeated for each host, as oslo.messaging wants
 *  them. */
export function formatUrl(shape: UrlShape, hosts: readonly HostPort[], options: UrlOptions = {}): string {
  const user = options.user ?? shape.user
  const password = options.password ?? shape.password
  const credentials =
    user === undefined
      ? ''
      : `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}@`
  const list = (options.via ?? hosts).map(
    ({ host, port }) => `${credentials}${host.includes(':') ? `[${host}]` : host}:${port}`,
  )
  return `${shape.scheme}://${list.join(',')}/${encodeURIComponent(options.vhost ?? '')}`
}
