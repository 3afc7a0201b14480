/** NestJS over oslo.messaging. */

// The module and what it provides
export {
  type ClientDefinition,
  clientProxyToken,
  InjectClientProxy,
  InjectNotifier,
  InjectRpcClient,
  notifierToken,
  OsloMessagingModule,
  type OsloModuleAsyncOptions,
  type OsloModuleOptions,
  type OsloModuleParts,
  rpcClientToken,
} from './module.ts'
export { OsloHealthIndicator, type OsloHealthResult } from './health.ts'

// Serving
export { OsloServer, type OsloServerOptions } from './server.ts'
export {
  OnNotification,
  type OnNotificationOptions,
  RpcEndpoint,
  type RpcEndpointOptions,
  RpcMethod,
  type RpcMethodOptions,
} from './decorators.ts'
export { type NotificationFacts, OsloNotificationContext, OsloRpcContext } from './contexts.ts'
export { RpcErrorFilter } from './error-filter.ts'

// Calling, in Nest's style
export { OsloClient, type OsloClientOptions, type OsloPattern, OsloRecord } from './client.ts'
