import {
  type BrokerAddress,
  type BrokerName,
  formatUrl,
  type HostPort,
  type UrlOptions,
  type UrlShape,
} from './broker.ts'

/** Which variable may name a broker of each kind, and by which schemes it is known. */
const VARIABLES: Record<BrokerName, { readonly names: readonly string[]; readonly schemes: readonly string[] }> = {
  rabbit: { names: ['RPC_TRANSPORT_URL', 'NOTIFY_TRANSPORT_URL'], schemes: ['rabbit', 'kombu'] },
  kafka: { names: ['NOTIFY_TRANSPORT_URL'], schemes: ['kafka'] },
  artemis: { names: ['RPC_TRANSPORT_URL', 'NOTIFY_TRANSPORT_URL'], schemes: ['amqp'] },
  'broker-j': { names: ['RPC_TRANSPORT_URL', 'NOTIFY_TRANSPORT_URL'], schemes: ['amqp'] },
  nats: { names: ['RPC_TRANSPORT_URL', 'NOTIFY_TRANSPORT_URL'], schemes: ['nats'] },
  redis: { names: ['RPC_TRANSPORT_URL', 'NOTIFY_TRANSPORT_URL'], schemes: ['redis'] },
}

/** A broker somebody else runs, as its URL describes it. */
export interface NamedBroker extends BrokerAddress {
  readonly shape: UrlShape
}

/** The broker that RPC_TRANSPORT_URL or NOTIFY_TRANSPORT_URL names, when it is one of this kind. */
export function fromEnvironment(name: BrokerName, env: NodeJS.ProcessEnv = process.env): NamedBroker | undefined {
  const { names, schemes } = VARIABLES[name]
  for (const variable of names) {
    const url = env[variable]
    if (url === undefined || !schemes.some((scheme) => url.startsWith(`${scheme}:`))) continue
    const { shape, hosts } = readUrl(url)
    return {
      name,
      version: 'unknown',
      source: 'environment',
      url,
      shape,
      hosts,
      urlFor: (options: UrlOptions = {}) =>
        Object.keys(options).length === 0 ? url : formatUrl(shape, hosts, { vhost: vhostOf(url), ...options }),
    }
  }
  return undefined
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  rabbit: 5672,
  kombu: 5672,
  amqp: 5672,
  kafka: 9092,
  nats: 4222,
  redis: 6379,
}

/** Only what the room needs; the real reader is TransportURL of the core package, which this one must not depend on. */
function readUrl(url: string): { shape: UrlShape; hosts: HostPort[] } {
  const [, scheme = '', authority = ''] = /^([^:]+):\/\/([^/?]*)/.exec(url) ?? []
  const parts = authority.split(',').filter((part) => part !== '')
  const [credentials] = parts.map((part) => part.slice(0, Math.max(0, part.lastIndexOf('@'))))
  const [user, password] = (credentials ?? '').split(':').map((part) => decodeURIComponent(part))
  const hosts = parts.map((part) => {
    const address = part.slice(part.lastIndexOf('@') + 1)
    const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(address) ?? []
    return { host: host.replaceAll(/[[\]]/g, ''), port: port === '' ? (DEFAULT_PORTS[scheme] ?? 0) : Number(port) }
  })
  return { shape: { scheme, ...(user === undefined || user === '' ? {} : { user, password }) }, hosts }
}

function vhostOf(url: string): string {
  const [, path = ''] = /^[^:]+:\/\/[^/?]*\/([^?]*)/.exec(url) ?? []
  return decodeURIComponent(path)
}
