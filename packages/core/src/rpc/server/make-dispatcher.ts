import { ADVICE } from '../../diagnostics/logger.ts'
import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Endpoint } from './endpoint.ts'
import { createPingEndpoint, PING_METHOD } from './ping-endpoint.ts'
import { RPCDispatcher } from './rpc-dispatcher.ts'
import type { RPCServerOptions } from './server-options.ts'

/** The dispatcher of a server's endpoints, with the ping endpoint where the configuration asks for it. */
export function makeDispatcher(
  transport: Transport,
  endpoints: readonly Endpoint[],
  options: RPCServerOptions,
): RPCDispatcher {
  const serializer = options.serializer ?? new NoOpSerializer()
  const { conf, logger } = transport
  const dispatcher = new RPCDispatcher(endpoints, serializer, options)
  if (dispatcher.emptiness !== undefined) logger.warn(dispatcher.emptiness, ADVICE)
  if (!conf.get('DEFAULT', 'rpc_ping_enabled')) return dispatcher
  if (dispatcher.methods.some(({ name }) => name === PING_METHOD)) {
    logger.warn(`An endpoint has a method ${PING_METHOD} already: the ping endpoint is not added`, ADVICE)
    return dispatcher
  }
  const exposes = options.exposes === undefined ? undefined : { ...options.exposes, [PING_METHOD]: true as const }
  return new RPCDispatcher([...endpoints, createPingEndpoint()], serializer, { ...options, exposes })
}
