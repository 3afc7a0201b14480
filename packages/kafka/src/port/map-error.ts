import {
  AuthenticationError,
  type DeliveryState,
  type DriverErrorOptions,
  type MessagingError,
  type OperationPhase,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { ClientFault } from './client-port.ts'

/** What a fault means for whoever waits.
 *  `denied`: credentials or permissions; nothing but a changed configuration helps.
 *  `refused`: the request itself is wrong and will stay so.
 *  `too-large`: refused for its size; a smaller one may pass.
 *  `missing`: the topic does not exist yet.
 *  `fenced`: the numbering of idempotent requests is out of step; a new producer session helps.
 *  `rejoin`: the group moves; the client joins again by itself.
 *  `coordinator`: the group is looked after by another broker than the client thinks; a new consumer session helps.
 *  `passing`: anything that may mend itself, and everything unknown. */
export type FaultKind = 'denied' | 'refused' | 'too-large' | 'missing' | 'fenced' | 'rejoin' | 'coordinator' | 'passing'

interface FaultRow {
  readonly kind: FaultKind
  /** The broker says this before it stores anything. */
  readonly notStored?: true
  /** Completes the message: what to do about it. */
  readonly remedy?: string
}

const CREDENTIALS = 'check user and password in the URL and [oslo_messaging_kafka] sasl_mechanism'
const PERMISSION = 'the user lacks a permission (ACL) for this'
const TRUST = 'check [oslo_messaging_kafka] ssl_cafile and the names in the broker certificate'
const CLIENT_CERTIFICATE =
  'the broker does not take the client certificate: check ssl_client_cert_file and ssl_client_key_file'
const PROTOCOL = 'check that [oslo_messaging_kafka] security_protocol is what the listener at this port speaks'

const denied = (remedy: string): FaultRow => ({ kind: 'denied', notStored: true, remedy })
const refused = (remedy: string): FaultRow => ({ kind: 'refused', notStored: true, remedy })

/** Every fault that is not simply `passing`, by its innermost type. Measured on Kafka 3.9 and 4.4, or named by the
 *  protocol. */
const TABLE: Readonly<Record<string, FaultRow>> = {
  // Credentials and permissions.
  KafkaJSSASLAuthenticationError: denied(CREDENTIALS),
  SASL_AUTHENTICATION_FAILED: denied(CREDENTIALS),
  UNSUPPORTED_SASL_MECHANISM: denied('the broker does not enable [oslo_messaging_kafka] sasl_mechanism'),
  ILLEGAL_SASL_STATE: denied(PROTOCOL),
  TOPIC_AUTHORIZATION_FAILED: denied(PERMISSION),
  GROUP_AUTHORIZATION_FAILED: denied(PERMISSION),
  CLUSTER_AUTHORIZATION_FAILED: denied(PERMISSION),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: denied(PERMISSION),
  SECURITY_DISABLED: denied(PROTOCOL),
  SecurityProtocolMismatch: denied('set it to what the broker speaks there, or use the port of another listener'),
  // Certificates: the client library calls these retriable, which they are not.
  SELF_SIGNED_CERT_IN_CHAIN: denied(TRUST),
  DEPTH_ZERO_SELF_SIGNED_CERT: denied(TRUST),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: denied(TRUST),
  UNABLE_TO_GET_ISSUER_CERT: denied(TRUST),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: denied(TRUST),
  CERT_HAS_EXPIRED: denied('the broker certificate has expired'),
  CERT_NOT_YET_VALID: denied('the broker certificate is not valid yet: check the clocks'),
  ERR_TLS_CERT_ALTNAME_INVALID: denied(TRUST),
  ERR_SSL_WRONG_VERSION_NUMBER: denied(PROTOCOL),
  EPROTO: denied(PROTOCOL),
  // The request itself.
  INVALID_TOPIC_EXCEPTION: refused('the broker does not take this topic name'),
  INVALID_REQUIRED_ACKS: refused('the broker does not take acks=all'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: refused('the topic uses a message format of Kafka before 0.11'),
  UNSUPPORTED_VERSION: refused('the broker is older or newer than this driver speaks'),
  UNSUPPORTED_COMPRESSION_TYPE: refused('the broker does not take this [oslo_messaging_kafka] compression_codec'),
  INVALID_RECORD: refused(
    'the broker refuses the record: a compacted topic wants keys, which notifications do not have',
  ),
  INVALID_TIMESTAMP: refused(
    'the broker takes no record this far from its own time (message.timestamp.after.max.ms and before.max.ms of the topic): check the clock of this machine',
  ),
  POLICY_VIOLATION: refused('a policy of the broker refuses this'),
  INVALID_SESSION_TIMEOUT: refused('[oslo_messaging_kafka] kafka_session_timeout is outside what the broker allows'),
  INVALID_GROUP_ID: refused('the broker does not take this [oslo_messaging_kafka] consumer_group or pool name'),
  FENCED_INSTANCE_ID: refused(
    'another listener of the group came by the same [oslo_messaging_kafka] kafka_group_instance_id: give each process a name of its own',
  ),
  INCONSISTENT_GROUP_PROTOCOL: refused(
    'other members of the consumer group use another assignment strategy: give this service its own consumer_group or pool name',
  ),
  BatchUnreadable: {
    kind: 'passing',
    remedy: 'the batch is damaged, or its codec fails here; nothing behind it is read until it can be',
  },
  KafkaJSNotImplemented: refused('the codec of a stored batch is not installed'),
  CodecMissing: refused('install the package that the message names'),
  MESSAGE_TOO_LARGE: { kind: 'too-large', notStored: true, remedy: 'the broker sets the limit: message.max.bytes' },
  RECORD_LIST_TOO_LARGE: { kind: 'too-large', notStored: true, remedy: 'the broker sets the limit: segment.bytes' },
  RequestTooLarge: {
    kind: 'too-large',
    notStored: true,
    remedy: 'the broker sets the limit: socket.request.max.bytes, and message.max.bytes',
  },
  // The topic.
  UNKNOWN_TOPIC_OR_PARTITION: {
    kind: 'missing',
    notStored: true,
    remedy: 'create it, or let the broker do so (auto.create.topics.enable)',
  },
  UNKNOWN_TOPIC_ID: { kind: 'missing', notStored: true },
  PartitionMissing: { kind: 'missing', notStored: true },
  // Idempotent sessions.
  OUT_OF_ORDER_SEQUENCE_NUMBER: { kind: 'fenced', notStored: true },
  UNKNOWN_PRODUCER_ID: { kind: 'fenced', notStored: true },
  INVALID_PRODUCER_EPOCH: { kind: 'fenced', notStored: true },
  PRODUCER_FENCED: { kind: 'fenced', notStored: true },
  // Groups.
  REBALANCE_IN_PROGRESS: { kind: 'rejoin' },
  ILLEGAL_GENERATION: { kind: 'rejoin' },
  UNKNOWN_MEMBER_ID: { kind: 'rejoin' },
  MEMBER_ID_REQUIRED: { kind: 'rejoin' },
  NOT_COORDINATOR_FOR_GROUP: { kind: 'coordinator' },
  GROUP_COORDINATOR_NOT_AVAILABLE: { kind: 'coordinator' },
  KafkaJSBrokerNotFound: { kind: 'coordinator', notStored: true },
  BrokerUnknown: { kind: 'coordinator', notStored: true },
  KafkaJSGroupCoordinatorNotFound: { kind: 'coordinator' },
  // Passing, and known to come before anything is stored. NOT_LEADER_FOR_PARTITION and its like are not:
  // a leader that is demoted while it waits for its replicas has stored the request before it says so.
  NOT_ENOUGH_REPLICAS: {
    kind: 'passing',
    notStored: true,
    remedy: 'fewer replicas are in sync than min.insync.replicas',
  },
  THROTTLING_QUOTA_EXCEEDED: { kind: 'passing', notStored: true },
}
const PASSING: FaultRow = { kind: 'passing' }

/** What a peer says of our certificate. How the rest of the code is spelt depends on the release of OpenSSL: the same
 *  alert is SSLV3_ALERT_BAD_CERTIFICATE on Node 20 and SSL/TLS_ALERT_BAD_CERTIFICATE on Node 22. */
const CERTIFICATE_ALERT =
  /^ERR_SSL_.*ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|NO_CERTIFICATE|UNKNOWN_CA)/
const CERTIFICATE = denied(CLIENT_CERTIFICATE)

function rowOf({ type }: ClientFault): FaultRow {
  return TABLE[type] ?? (CERTIFICATE_ALERT.test(type) ? CERTIFICATE : PASSING)
}

/** Whatever was thrown, as a ClientFault. Never throws. */
export function toFault(error: unknown): ClientFault {
  if (error instanceof ClientFault) return error
  return new ClientFault(error instanceof Error ? error.name : 'Error', textOf(error), { cause: error, written: true })
}

export function kindOf(fault: ClientFault): FaultKind {
  return rowOf(fault).kind
}

/** Whether trying again without anybody changing anything can help. */
export function isFatal(error: unknown): boolean {
  if (!(error instanceof ClientFault)) return false
  const kind = kindOf(error)
  return kind === 'denied' || kind === 'refused'
}

/** What is known about the records of a failed produce request. */
export function deliveryOf(fault: ClientFault): DeliveryState {
  return fault.written && rowOf(fault).notStored !== true ? 'unknown' : 'not-sent'
}

/** The error our user sees; `cause` is the fault, whose own cause is the client library's error. */
export function mapFault(
  fault: ClientFault,
  facts: { readonly doing: string; readonly phase?: OperationPhase; readonly delivery?: DeliveryState },
): MessagingError {
  const row = rowOf(fault)
  const remedy = row.remedy === undefined ? '' : `: ${row.remedy}`
  const options: DriverErrorOptions = {
    cause: fault,
    retryable: row.kind !== 'denied' && row.kind !== 'refused' && row.kind !== 'too-large',
    phase: facts.phase,
    delivery: facts.delivery,
    host: fault.host,
    brokerCode: fault.type,
  }
  const text = `${facts.doing} failed with ${fault.type} (${fault.message})${remedy}`
  return row.kind === 'denied' ? new AuthenticationError(text, options) : new TransportDriverError(text, options)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What went wrong, for the text of a log line: many loggers show nothing else. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
