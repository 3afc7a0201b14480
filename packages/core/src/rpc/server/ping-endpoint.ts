import { expose } from './expose.ts'

export const PING_METHOD = 'oslo_rpc_server_ping'

/** Answers `pong`, whatever the access policy. Added when `[DEFAULT] rpc_ping_enabled` is set. */
export function createPingEndpoint(): object {
  return { [PING_METHOD]: expose(() => 'pong') }
}
