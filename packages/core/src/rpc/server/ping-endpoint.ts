import { expose } from './expose.ts'

export const PING_METHOD = 'oslo_rpc_server_ping'

/** Answers `pong`, whatever the access policy. Added when `[DEFAULT] rpc_ping_enabled` is set (INVENTORY D14). */
export class PingEndpoint {
  readonly oslo_rpc_server_ping: () => string = expose(() => 'pong')
}
