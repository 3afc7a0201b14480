import { ADVICE, useLogger } from '../diagnostics/logger.ts'
import { extendAsConfigured } from './extensions.ts'
import { openTransport, readMakerInput, type TransportOptions } from './open-transport.ts'
import type { MessagingConfig } from '../config/messaging-config.ts'
import { Transport, type TransportParts } from './transport.ts'

/** A bus for RPC. */
export class RPCTransport extends Transport {
  constructor(parts: TransportParts) {
    super('rpc', parts)
  }
}

/** A class to make instead of RPCTransport: a subclass. */
export type RPCTransportClass<T = RPCTransport> = new (parts: TransportParts) => T

/** What `getRpcTransport` takes besides the configuration; everything may be left out. */
export interface RPCTransportOptions<T = RPCTransport> extends TransportOptions {
  /** A subclass to make instead. */
  readonly transportClass?: RPCTransportClass<T> | undefined
}

/** Opens the transport for RPC that `url`, or `[DEFAULT] transport_url`, names. Connects when it is first used. Without
 *  a configuration, `getRpcTransport({ url })`, every option has its default, and the URL's query may set those of the
 *  driver.
 *  Rejects with InvalidTransportURL, DriverLoadFailure, ConfigurationError, or UnsupportedCapability when the driver is
 *  notify-only. Source: get_rpc_transport. */
export async function getRpcTransport<T = RPCTransport>(
  conf: MessagingConfig,
  options?: RPCTransportOptions<T>,
): Promise<T>
export async function getRpcTransport<T = RPCTransport>(options: RPCTransportOptions<T>): Promise<T>
export async function getRpcTransport(
  first: MessagingConfig | RPCTransportOptions<unknown>,
  second?: RPCTransportOptions<unknown>,
): Promise<unknown> {
  const { conf, options } = await readMakerInput(first, second)
  const { transportClass: TransportClass = RPCTransport } = options
  const transport = new TransportClass(
    await openTransport(conf, options, (each) => each.get('DEFAULT', 'transport_url'), 'rpc'),
  )
  if (transport instanceof Transport) await extendAsConfigured(transport)
  return transport
}

/** The old name of `getRpcTransport`.
 *  @deprecated Say which kind: `getRpcTransport` or `getNotificationTransport`. */
export async function getTransport(conf: MessagingConfig, options: RPCTransportOptions = {}): Promise<RPCTransport> {
  useLogger(options.logger).warn('getTransport is deprecated: use getRpcTransport or getNotificationTransport', ADVICE)
  return await getRpcTransport(conf, options)
}
