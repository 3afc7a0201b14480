/** Door 1, for applications, in the order a message goes. */

// URL
export { TransportHost, type TransportHostFields, TransportURL, type TransportURLFields } from './url/transport-url.ts'
export { Target, type TargetFields } from './target.ts'

// Registry
export {
  createDriverRegistry,
  getDriverRegistry,
  type DriverRegistry,
  type DriverRegistryOptions,
} from './registry/driver-registry.ts'

// Drivers, as far as applications see them; authors use the door `./driver`
export type { DriverCapabilities } from './driver/capabilities.ts'
export type { CredentialsProvider, DriverDefinition, HostCredentials, StartFrom } from './driver/driver.ts'
export type { Backlog, ComponentHealth, ComponentState, Health, HealthStatus } from './driver/health.ts'

// Transports
export { getNotificationTransport, NotificationTransport } from './transport/notification-transport.ts'
export type { DriverSource, TransportOptions } from './transport/open-transport.ts'
export type {
  InterceptedNotification,
  Interception,
  Interceptor,
  ListenOperation,
  NotifyOperation,
  SendOperation,
  ServeOperation,
  SettleAction,
  SettleOperation,
} from './transport/interceptor.ts'
export type { MessageHeaders } from './transport/check-headers.ts'
export {
  getRpcTransport,
  getTransport,
  RPCTransport,
  type RPCTransportClass,
  type RPCTransportOptions,
} from './transport/rpc-transport.ts'
export type { CloseOptions, FlushOptions } from './transport/patience.ts'
export {
  type CloseReport,
  type ReloadOptions,
  type ReloadReport,
  Transport,
  type TransportKind,
  type TransportLoad,
} from './transport/transport.ts'

// Both buses of a service as one
export { getMessaging, Messaging, type MessagingOptions, type MessagingReloadReport } from './messaging/messaging.ts'
export type { DrainReport } from './messaging/drain.ts'
export type { MessagingHealth, ReadyOptions } from './messaging/readiness.ts'
export type { SignalOptions } from './messaging/signals.ts'

// Operators
export {
  BrokerAdmin,
  type BrokerAdminOptions,
  type CheckOptions,
  type ExamineOptions,
  getBrokerAdmin,
  openBrokerAdmin,
  type QueuesOptions,
  type RedriveOptions,
  type RemovePoolOptions,
} from './transport/broker-admin.ts'
export type { BrokerFacts, BrokerFinding, QueueReport, RedriveReport, SkippedLetters } from './driver/driver-admin.ts'
export { planMigration, type PlanMigrationOptions } from './transport/plan-migration.ts'
export type { MigrationChange, MigrationPlan, MigrationStep } from './driver/migration.ts'
export { planTopology, type PlanTopologyOptions } from './transport/plan-topology.ts'
export type { TopologyDeclaration, TopologyPlan, TopologyUse } from './driver/topology-plan.ts'

// The interface that clients and servers of RPC share; the compiler's alone
export type {
  AnyMethods,
  CallArguments,
  CallContextArgument,
  CallResult,
  EndpointContext,
  EndpointFor,
  EndpointMethods,
  EndpointsFor,
  MethodName,
} from './rpc/contract.ts'
export type { OnTheWire, Revived } from './rpc/on-the-wire.ts'
export type { MessageContext } from './driver/messages.ts'

// RPC clients
export type { CallOptions, CallTransportOptions } from './rpc/client/call-options.ts'
export { CallContext, type PrepareOptions } from './rpc/client/call-context.ts'
export {
  getRpcClient,
  type GetRPCClientOptions,
  RPCClient,
  type RPCClientClass,
  type RPCClientOptions,
} from './rpc/client/rpc-client.ts'

// RPC servers
export {
  DefaultRPCAccessPolicy,
  ExplicitRPCAccessPolicy,
  LegacyRPCAccessPolicy,
  RPCAccessPolicyBase,
  type RPCAccessPolicyClass,
} from './rpc/server/access-policy.ts'
export type { Endpoint, EndpointMethod, RPCCall } from './rpc/server/endpoint.ts'
export { expectedExceptions } from './rpc/server/expected-exceptions.ts'
export { declareArguments } from './rpc/server/declare-arguments.ts'
export { expose } from './rpc/server/expose.ts'
export { getRpcServer, type GetRPCServerOptions, type RPCServerClass } from './rpc/server/get-rpc-server.ts'
export { RPCServer } from './rpc/server/rpc-server.ts'
export type { RPCServerOptions } from './rpc/server/server-options.ts'
export type { ClaimState, IdempotencyOptions, IdempotencyStore } from './idempotency/idempotency-store.ts'
export { MemoryIdempotencyStore } from './idempotency/memory-idempotency-store.ts'
export { type DispatcherOptions, RPCDispatcher, type ServedMethod } from './rpc/server/rpc-dispatcher.ts'
export { isVersionCompatible } from './rpc/version.ts'
export { MessageServer, type MessageServerOptions, type ServerLoad } from './server/message-server.ts'
export type { StartOptions, StepOptions } from './server/steps.ts'
export { WorkerPool } from './server/worker-pool.ts'

// Notifications
export { getNotifier, Notifier, type NotifierOptions, type NotifyCallOptions } from './notify/notifier.ts'
export { type ContextRedaction, type RedactableContext } from './notify/redact-context.ts'
export { PRIORITIES, type Priority } from './notify/priority.ts'
export type {
  NotificationDriver,
  NotificationDriverContext,
  NotificationDriverFactory,
  NotificationSendOptions,
} from './notify/notification-driver.ts'
export type { FailureAction, FailureBackoff, FailurePolicy } from './notify/failure-policy.ts'
export type { PauseSettings } from './server/pause-switch.ts'
export { getNotificationListener } from './notify/notification-listener.ts'
export type { ListenerStart, NotificationListenerOptions } from './notify/listener-parts.ts'
export {
  type BatchNotificationListenerOptions,
  getBatchNotificationListener,
} from './notify/batch-notification-listener.ts'
export {
  type BatchNotificationEndpoint,
  type NotificationArguments,
  type NotificationDelivery,
  type NotificationEndpoint,
  type NotificationMetadata,
  type NotificationOutcome,
  NotificationResult,
  type ReceivedNotification,
} from './notify/endpoint.ts'
export { type FilterPattern, NotificationFilter, type NotificationFilterRules } from './notify/filter.ts'

// Serializers
export { JsonPayloadSerializer } from './serializer/json-payload-serializer.ts'
export { NoOpSerializer } from './serializer/no-op-serializer.ts'
export type { Serializer } from './serializer/serializer.ts'

// Configuration
export type { CoreOptions } from './config/core-options.ts'
export { loadConfig, type LoadConfigOptions } from './config/load.ts'
export type { MessagingConfig } from './config/messaging-config.ts'
export type { ConfigOverrides } from './config/source.ts'

// Errors: ours, and those of Python that endpoints raise and clients meet
export * from './errors.ts'
export {
  AttributeError,
  IndexError,
  KeyError,
  LookupError,
  NotImplementedError,
  OSError,
  PermissionError,
  PythonError,
  type PythonErrorOptions,
  PythonTimeoutError,
  RuntimeError,
  ValueError,
} from './wire/python-errors.ts'
export type {
  AllowedRemoteErrors,
  ErrorArguments,
  RemoteErrorClass,
  RemoteErrorCodec,
  RemoteErrors,
} from './wire/remote-error-table.ts'

// Watching
export { DIAGNOSTIC_CHANNELS, type DiagnosticEvents } from './diagnostics/channels.ts'
export { consoleLogger, type PinoLike, pinoLogger } from './diagnostics/log-adapters.ts'
export { type Logger, silentLogger } from './diagnostics/logger.ts'
export { type Clock, systemClock } from './util/clock.ts'
