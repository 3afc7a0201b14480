import type { Target } from '@oslo-messaging/core/driver'
import type { AmqpOptions } from '../config.ts'
import type { PeerProperties } from '../connection/peer-connection.ts'

/** Requests and notifications have different prefixes in routable addresses. */
export type Service = 'rpc' | 'notify'

/** Turns a target into the address of its links. Fanout beats server. Source: WIRE 7.2 (oslo_messaging 14.0.3,
 *  amqp1_driver/addressing.py). */
export interface Addresser {
  readonly mode: 'legacy' | 'routable'
  address(target: Target, service: Service): string
}

export interface AddresserContext {
  readonly options: AmqpOptions
  /** The URL's virtual host; null or empty: none. */
  readonly virtualHost: string | null
  /** `control_exchange`; null only in tests. */
  readonly defaultExchange: string | null
}

type Kind = 'fanout' | 'server' | 'topic'

function kindOf(target: Target): Kind {
  if (target.fanout) return 'fanout'
  return target.server === null ? 'topic' : 'server'
}

/** Empty parts are left out, so that an absent virtual host or exchange leaves no gap. */
const join = (parts: readonly (string | null)[], separator: string): string =>
  parts.filter((part) => part !== null && part !== '').join(separator)

/** Addresses for brokers: `unicast.<vhost>.<exchange>.<topic>`. The word for a topic is `unicast` here. */
export function createLegacyAddresser(context: AddresserContext): Addresser {
  const { options, defaultExchange } = context
  const vhost = options.pseudo_vhost ? context.virtualHost : null
  const prefix: Record<Kind, string> = {
    fanout: options.broadcast_prefix,
    server: options.server_request_prefix,
    topic: options.group_request_prefix,
  }
  return {
    mode: 'legacy',
    address(target) {
      const kind = kindOf(target)
      const last = kind === 'fanout' ? 'all' : kind === 'server' ? target.server : null
      return join([prefix[kind], vhost, target.exchange ?? defaultExchange, target.topic, last], '.')
    },
  }
}

/** Addresses for message routers: `openstack.org/om/rpc/anycast/<vhost>/<exchange>/<topic>`. The word for a topic is
 *  `anycast` here. */
export function createRoutableAddresser(context: AddresserContext): Addresser {
  const { options, defaultExchange } = context
  const vhost = options.pseudo_vhost ? context.virtualHost : null
  const delivery: Record<Kind, string> = {
    fanout: options.multicast_address,
    server: options.unicast_address,
    topic: options.anycast_address,
  }
  const services = {
    rpc: { prefix: options.rpc_address_prefix, exchange: options.default_rpc_exchange },
    notify: { prefix: options.notify_address_prefix, exchange: options.default_notification_exchange },
  } as const
  return {
    mode: 'routable',
    address(target, service) {
      const kind = kindOf(target)
      const { prefix, exchange } = services[service]
      const server = kind === 'server' ? target.server : null
      const named = target.exchange ?? exchange ?? defaultExchange ?? 'openstack'
      return join([prefix, delivery[kind], vhost, named, target.topic, server], '/')
    },
  }
}

/** The addresser for `addressing_mode`: `dynamic` takes legacy for a peer that names no product or is qpid-cpp, else
 *  routable. An unknown mode counts as routable, as upstream. */
export function chooseAddresser(context: AddresserContext, peer: PeerProperties): Addresser {
  const mode: string = context.options.addressing_mode
  const legacy =
    mode === 'legacy' || (mode === 'dynamic' && (peer.product === undefined || peer.product === 'qpid-cpp'))
  return legacy ? createLegacyAddresser(context) : createRoutableAddresser(context)
}
