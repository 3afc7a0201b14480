import { TransportURL } from '@oslo-messaging/core'

import { FaultProxy } from './fault-proxy.ts'

/** A transport URL that leads through proxies, and these. */
export interface ProxiedURL extends AsyncDisposable {
  /** As it was, with the address of a proxy in place of each host. */
  readonly url: TransportURL
  /** One for each host of the URL, in its order. */
  readonly proxies: readonly FaultProxy[]
  /** Closes all of them. */
  close(): Promise<void>
}

/** Puts a proxy before each host of a transport URL. For brokers that keep clients at the address they came to; one
 *  that sends them elsewhere (Kafka, a cluster with redirects) has to be told to advertise the proxies.
 *  `defaultPort` is for hosts that name no port. Rejects when no port can be had. */
export async function proxyURL(
  url: TransportURL | string,
  options: { readonly defaultPort: number; readonly seed?: string },
): Promise<ProxiedURL> {
  const { transport, virtualHost, hosts, query } = TransportURL.parse(url)
  const proxies: FaultProxy[] = []
  const close = async (): Promise<void> => void (await Promise.all(proxies.map((proxy) => proxy.close())))
  try {
    const through = []
    for (const [index, { hostname, port, username, password }] of (hosts.length > 0 ? hosts : [LOCAL]).entries()) {
      const target = { host: hostname ?? 'localhost', port: port ?? options.defaultPort }
      const proxy = await FaultProxy.open(target, { seed: `${options.seed ?? 'proxy'}/${index}` })
      proxies.push(proxy)
      through.push({ hostname: proxy.host, port: proxy.port, username, password })
    }
    const proxied = new TransportURL({ transport, virtualHost, hosts: through, query })
    return { url: proxied, proxies, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

const LOCAL = { hostname: null, port: null, username: null, password: null }
