import { NoOpSerializer } from '../../serializer/no-op-serializer.ts'
import { checkSerializer, type Serializer } from '../../serializer/serializer.ts'
import type { Target } from '../../target.ts'
import { requireTarget, requireTransport } from '../../transport/check-target.ts'
import type { Transport } from '../../transport/transport.ts'
import { CallContext } from './call-context.ts'
import { checkOptions, checkTimeout, type OptionNames } from '../../util/check.ts'
import { CALL_TRANSPORT_OPTIONS, checkRetry, type CallTransportOptions } from './call-options.ts'
import type { AnyMethods } from './methods.ts'

/** Settings of a client; `prepare` replaces them for some calls. Source: INVENTORY C1. */
export interface RPCClientOptions {
  /** Most time a call takes, milliseconds. Default `[DEFAULT] rpc_response_timeout`. */
  readonly timeoutMs?: number | null
  /** Highest version that may be asked for; asking for more fails before anything is sent. Default none. */
  readonly versionCap?: string | null
  /** Default: changes nothing. */
  readonly serializer?: Serializer | null
  /** null or -1: no limit but the deadline; 0: one attempt; N: so many more. Default null. */
  readonly retry?: number | null
  /** Reject with ServerLost when neither a reply nor a sign of life comes for so long, milliseconds. Servers send one at half of it, from 2000 up. Default none. */
  readonly callMonitorTimeoutMs?: number | null
  readonly transportOptions?: CallTransportOptions
}

/** What `getRpcClient` takes besides transport and target; everything may be left out. */
export interface GetRPCClientOptions extends RPCClientOptions {
  /** A subclass to make instead (INVENTORY D16). */
  readonly clientClass?: typeof RPCClient
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
export class RPCClient<Methods extends object = AnyMethods> extends CallContext<Methods> {
  constructor(transport: Transport, target: Target, options: RPCClientOptions = {}, maker?: symbol) {
    requireTransport(transport, 'An RPC client')
    requireTarget(target, 'An RPC client')
    // A subclass may have options of its own.
    checkOptions('An RPC client', options, new.target === RPCClient ? OPTIONS : undefined)
    checkOptions('transportOptions', options.transportOptions, CALL_TRANSPORT_OPTIONS)
    checkSerializer(options.serializer)
    transport.warnUnlessKind('rpc', 'An RPC client')
    transport.require('rpc')
    if (maker !== FACTORY) transport.logger.warn('RPCClient is made with getRpcClient, not with new')
    super(transport, target, {
      timeoutMs: checkTimeout('timeoutMs', options.timeoutMs),
      versionCap: options.versionCap ?? null,
      retry: checkRetry(options.retry),
      callMonitorTimeoutMs: checkTimeout('callMonitorTimeoutMs', options.callMonitorTimeoutMs),
      atLeastOnce: options.transportOptions?.atLeastOnce ?? false,
      serializer: options.serializer ?? new NoOpSerializer(),
      defaultTimeoutMs: transport.conf.get('DEFAULT', 'rpc_response_timeout') * 1000,
    })
  }
}

/** A client of the servers of `target.topic`. `Methods` tells the compiler what they offer.
 *  Throws InvalidTarget, UnsupportedCapability when the driver is notify-only or lacks what the options ask for, TypeError for bad values. Source: get_rpc_client. */
export function getRpcClient<Methods extends object = AnyMethods>(
  transport: Transport,
  target: Target,
  options: GetRPCClientOptions = {},
): RPCClient<Methods> {
  const { clientClass: ClientClass = RPCClient } = options
  return new ClientClass<Methods>(transport, target, options, FACTORY)
}
