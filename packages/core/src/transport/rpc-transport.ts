import { openTransport, type TransportOptions } from './open-transport.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'
import { Transport, type TransportParts } from './transport.ts'

/** A bus for RPC. */
export class RPCTransport extends Transport {
  constructor(parts: TransportParts) {
    super('rpc', parts)
  }
}

/** What `getRpcTransport` takes besides the configuration; everything may be left out. */
export interface RPCTransportOptions extends TransportOptions {
  /** A subclass to make instead (INVENTORY D16). */
  readonly transportClass?: typeof RPCTransport
}

/** Opens the transport for RPC that `[DEFAULT] transport_url`, or `url`, names. Connects when it is first used.
 *  Rejects with InvalidTransportURL, DriverLoadFailure, ConfigurationError, or UnsupportedCapability when the driver is notify-only. Source: get_rpc_transport. */
export async function getRpcTransport(conf: MessagingConfig, options: RPCTransportOptions = {}): Promise<RPCTransport> {
  const { transportClass: TransportClass = RPCTransport } = options
  return new TransportClass(await openTransport(conf, options, () => conf.get('DEFAULT', 'transport_url'), 'rpc'))
}

/** The old name of `getRpcTransport`.
 *  @deprecated Say which kind: `getRpcTransport` or `getNotificationTransport`. */
export async function getTransport(conf: MessagingConfig, options: RPCTransportOptions = {}): Promise<RPCTransport> {
  options.logger?.warn('getTransport is deprecated: use getRpcTransport or getNotificationTransport')
  return await getRpcTransport(conf, options)
}
