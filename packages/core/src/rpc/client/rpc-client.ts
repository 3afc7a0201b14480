import { ADVICE } from '../../diagnostics/logger.ts'
import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import { checkSerializer, type Serializer } from '../../serializer/serializer.ts'
import type { Target, TargetFields } from '../../target.ts'
import { requireTransport } from '../../transport/check-target.ts'
import { busOf } from '../../transport/bus.ts'
import type { Transport } from '../../transport/transport.ts'
import { CallContext, checkMonitor } from './call-context.ts'
import { checkOptions, checkTimeout, type OptionNames, checkRetry } from '../../util/check.ts'
import { CALL_TRANSPORT_OPTIONS, type CallTransportOptions } from './call-options.ts'
import type { AnyMethods } from '../contract.ts'

/** Settings of a client; `prepare` replaces them for some calls. */
export interface RPCClientOptions {
  /** Most time a call takes, milliseconds; null: no limit. Default `[DEFAULT] rpc_response_timeout`. */
  readonly timeoutMs?: number | null | undefined
  /** Highest version that may be asked for; asking for more fails before anything is sent. Default null: any. */
  readonly versionCap?: string | null | undefined
  /** Default null: changes nothing. */
  readonly serializer?: Serializer | null | undefined
  /** null or -1: no limit but the deadline; 0: one attempt; N: so many more. Default null. */
  readonly retry?: number | null | undefined
  /** Reject with ServerLost when neither a reply nor a sign of life comes for so long, milliseconds. Servers send one
   *  at half of it, from 2000 up. Default null: calls are not monitored. */
  readonly callMonitorTimeoutMs?: number | null | undefined
  readonly transportOptions?: CallTransportOptions | undefined
}

/** A class to make instead of RPCClient: a subclass. */
export type RPCClientClass<Client = RPCClient> = new (
  transport: Transport,
  target: Target | TargetFields,
  options?: RPCClientOptions,
  maker?: symbol,
) => Client

/** What `getRpcClient` takes besides transport and target; everything may be left out. */
export interface GetRPCClientOptions<Client = RPCClient> extends RPCClientOptions {
  /** A subclass to make instead. */
  readonly clientClass?: RPCClientClass<Client> | undefined
}

const OPTIONS: OptionNames<GetRPCClientOptions> = {
  timeoutMs: true,
  versionCap: true,
  serializer: true,
  retry: true,
  callMonitorTimeoutMs: true,
  transportOptions: true,
  clientClass: true,
}

const FACTORY: unique symbol = Symbol('made by getRpcClient')

/** Calls and casts methods of the servers of a topic. Make it with `getRpcClient`. */
export class RPCClient<Methods extends object = AnyMethods, Ctx extends object = object> extends CallContext<
  Methods,
  Ctx
> {
  constructor(transport: Transport, target: Target | TargetFields, options: RPCClientOptions = {}, maker?: symbol) {
    requireTransport(transport, 'An RPC client')
    // A subclass may have options of its own.
    checkOptions('An RPC client', options, new.target === RPCClient ? OPTIONS : undefined)
    checkOptions('transportOptions', options.transportOptions, CALL_TRANSPORT_OPTIONS)
    checkSerializer(options.serializer)
    busOf(transport).warnUnlessKind('rpc', 'An RPC client')
    busOf(transport).require('rpc')
    if (maker !== FACTORY) transport.logger.warn('RPCClient is made with getRpcClient, not with new', ADVICE)
    const { timeoutMs } = options
    if (timeoutMs !== undefined) checkTimeout('timeoutMs', timeoutMs)
    // Asked at each call, so that it may be changed while the client is in use.
    const configuredMs = (): number => transport.conf.get('DEFAULT', 'rpc_response_timeout') * 1000
    super(transport, target, {
      get timeoutMs() {
        return timeoutMs === undefined ? configuredMs() : timeoutMs
      },
      versionCap: options.versionCap ?? null,
      retry: checkRetry(options.retry),
      callMonitorTimeoutMs: checkMonitor(options.callMonitorTimeoutMs, transport.logger),
      atLeastOnce: options.transportOptions?.atLeastOnce ?? false,
      serializer: options.serializer ?? new NoOpSerializer(),
      get defaultTimeoutMs() {
        return configuredMs()
      },
    })
  }
}

/** A client of the servers of `target.topic`. `Api` tells the compiler what they offer, and `Ctx` which request context
 *  they need; the results are typed as they arrive (`OnTheWire`).
 *  Throws InvalidTarget, UnsupportedCapability when the driver is notify-only or lacks what the options ask for,
 *  TypeError for bad values. Source: get_rpc_client. */
export function getRpcClient<Client extends object>(
  transport: Transport,
  target: Target | TargetFields,
  options: GetRPCClientOptions<Client> & { readonly clientClass: RPCClientClass<Client> },
): Client
export function getRpcClient<Api extends object = AnyMethods, Ctx extends object = object>(
  transport: Transport,
  target: Target | TargetFields,
  options?: GetRPCClientOptions<RPCClient<Api, Ctx>>,
): RPCClient<Api, Ctx>
export function getRpcClient(
  transport: Transport,
  target: Target | TargetFields,
  options: GetRPCClientOptions<unknown> = {},
): unknown {
  const { clientClass: ClientClass = RPCClient } = options
  return new ClientClass(transport, target, options, FACTORY)
}
