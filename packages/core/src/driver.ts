/** Door 2, for driver authors: the contract, what a driver is given, and the pieces our own drivers are made of. */
export { NO_CAPABILITIES, type DriverCapabilities } from './driver/capabilities.ts'
export type {
  CredentialsProvider,
  Driver,
  DriverContext,
  DriverDefinition,
  FailureDefaults,
  HostCredentials,
  Listener,
  ListenOptions,
  NotificationSource,
  NotifyListenOptions,
  NotifyOptions,
  SendOptions,
  StartFrom,
} from './driver/driver.ts'
export { DRIVER_API, OLDEST_DRIVER_API } from './driver/driver.ts'
export { FAILURE_HEADERS, failedAttemptsOf, type FailureFacts, failureFacts } from './driver/failure.ts'
export {
  type BrokerFacts,
  type BrokerFinding,
  type CheckRequest,
  type DriverAdmin,
  type ExamineRequest,
  type QueueReport,
  type QueuesRequest,
  type RedriveReport,
  type RedriveRequest,
  type RemovePoolRequest,
  RedriveTally,
  type SkippedLetters,
} from './driver/driver-admin.ts'
export type { MigrationChange, MigrationPlan, MigrationSide, MigrationStep } from './driver/migration.ts'
export type { TopologyDeclaration, TopologyPlan, TopologyUse } from './driver/topology-plan.ts'
export type {
  DeliveryFacts,
  IncomingNotification,
  IncomingRequest,
  MessageContext,
  NotificationMessage,
  OutgoingNotification,
  OutgoingRequest,
  RPCReply,
  RPCRequestMessage,
} from './driver/messages.ts'
export {
  type Backlog,
  type ComponentHealth,
  type ComponentState,
  type Health,
  type HealthStatus,
  summarizeHealth,
} from './driver/health.ts'

// The side of a transport that kinds of clients and servers of one's own are built on.
export { Bus, busOf } from './transport/bus.ts'

// The URL and the target, which every method takes.
export { Target, type TargetFields } from './target.ts'
export { TransportHost, TransportURL } from './url/transport-url.ts'

// Options as data.
export { CORE_FRAGMENTS } from './config/core-options.ts'
export type {
  ConfigFragment,
  EffectiveOption,
  OptionDefinition,
  OptionsOf,
  OptionType,
  OptionValue,
  ResolvedOptions,
} from './config/option.ts'

// Pieces with the hard parts in them: one of each, shared by all drivers.
export { type Backoff, type BackoffOptions, createBackoff } from './util/backoff.ts'
export { type Clock, systemClock } from './util/clock.ts'
export { Deadline, type DeadlineOptions, type WaitFacts } from './util/deadline.ts'
export { createDeferred, type Deferred } from './util/deferred.ts'
export { BrokerQuestions, type BrokerQuestionsOptions } from './driver/broker-questions.ts'
export {
  type BookedDelivery,
  DeliveryBook,
  type DeliveryBookOptions,
  type OpenDelivery,
  type Settlement,
} from './driver/delivery-book.ts'
export { DuplicateCache } from './driver/duplicate-cache.ts'
export { credentialsFor, type HostAddress, HostRotation, type HostRotationOptions } from './driver/host-rotation.ts'
export { Lane, type Turn } from './driver/lane.ts'
export { Lifetime } from './driver/lifetime.ts'
export { connectionLost, networkError } from './driver/network-error.ts'
export { OutstandingLimit, type OutstandingLimitOptions } from './driver/outstanding-limit.ts'
export { packMessage, type Packet, type PacketFacts, unpackMessage } from './driver/packet.ts'
export { ReplyWaiters, type ReplyWaitOptions } from './driver/reply-waiters.ts'
export { reportState, type StateReport } from './driver/report-state.ts'
export { type LineOptions, SendLine, type SendLineOptions } from './driver/send-line.ts'
export { type ReadyOptions, Supervisor, type SupervisorChange, type SupervisorOptions } from './driver/supervisor.ts'
export { ADVICE, type Logger, silentLogger } from './diagnostics/logger.ts'

// Settings given in code: each check throws TypeError with the name and what would do.
export { checkChoice, checkCount, checkFunction, checkOptions, type OptionNames } from './util/check.ts'

// Every error a driver may raise.
export * from './errors.ts'

// Bytes on the wire, as Python writes and reads them.
export { decodeJson, encodeJson } from './wire/json.ts'
export { ENVELOPE_VERSION, readEnvelope, unwrapEnvelope, wrapEnvelope, writeEnvelope } from './wire/envelope.ts'

// What happens in the background reaches these.
export { type DiagnosticEvents, emitDiagnostic } from './diagnostics/channels.ts'
