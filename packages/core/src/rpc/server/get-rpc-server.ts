import type { MessageContext } from '../../driver/messages.ts'
import type { Target, TargetFields } from '../../target.ts'
import type { Transport } from '../../transport/transport.ts'
import type { AnyMethods, EndpointsFor } from '../contract.ts'
import type { Endpoint } from './endpoint.ts'
import { RPCServer } from './rpc-server.ts'
import type { RPCServerOptions } from './server-options.ts'

/** What `getRpcServer` takes besides transport, target and endpoints; everything may be left out. */
export interface GetRPCServerOptions<
  Api extends object = AnyMethods,
  Server = RPCServer,
> extends RPCServerOptions<Api> {
  /** A subclass to make instead. */
  readonly serverClass?: RPCServerClass<Server> | undefined
}

/** A class to make instead of RPCServer: a subclass. */
export type RPCServerClass<Server = RPCServer> = new (
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options?: RPCServerOptions,
) => Server

/** A server for `target.topic` and `target.server` with the methods of one endpoint, or of several. Listens after
 *  `start()`.
 *  With the interface that its clients know, `getRpcServer<Api, Ctx>(...)`, the compiler sees that each method is there
 *  and fits, and parameters need no annotation.
 *  Throws InvalidTarget without topic or server name, UnsupportedCapability when the driver is notify-only,
 *  ExecutorLoadFailure, TypeError for endpoints that offer nothing and for other bad values. Source: get_rpc_server. */
export function getRpcServer<Server extends object>(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options: GetRPCServerOptions<AnyMethods, Server> & { readonly serverClass: RPCServerClass<Server> },
): Server
export function getRpcServer(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options?: GetRPCServerOptions,
): RPCServer
export function getRpcServer<Api extends object, Ctx extends object = MessageContext>(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: EndpointsFor<Api, Ctx>,
  options?: GetRPCServerOptions<Api>,
): RPCServer<Api>
export function getRpcServer(
  transport: Transport,
  target: Target | TargetFields,
  endpoints: Endpoint | readonly Endpoint[],
  options: GetRPCServerOptions<AnyMethods, unknown> = {},
): unknown {
  const { serverClass: ServerClass = RPCServer } = options
  return new ServerClass(transport, target, endpoints, options)
}
