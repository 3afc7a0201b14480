import { describe, expect, it } from 'vitest'
import { AuthenticationError, TransportDriverError } from '@oslo-messaging/core/driver'
import { ClientFault } from '../../src/port/client-port.ts'
import { faultOf } from '../../src/kafkajs/fault.ts'
import { deliveryOf, isFatal, kindOf, mapFault, toFault } from '../../src/port/map-error.ts'

/** An error as kafkajs makes them: fields by name, causes inside. */
function thrown(name: string, fields: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(`${name} happened`), { name, ...fields })
}

const protocol = (type: string, code: number): Error => thrown('KafkaJSProtocolError', { type, code })
const connection = (code?: string): Error =>
  thrown('KafkaJSConnectionError', { code, broker: '127.0.0.1:9092', retriable: true })
const exceeded = (cause: Error): Error => thrown('KafkaJSNumberOfRetriesExceeded', { cause, retriable: false })
const nonRetriable = (cause: Error): Error => thrown('KafkaJSNonRetriableError', { cause, retriable: false })

// The situations of the error table that was measured on Kafka 3.9.2 and 4.4.0, with what kafkajs throws.
const rows = [
  ['broker down', exceeded(connection('ECONNREFUSED')), 'ECONNREFUSED', 'passing'],
  ['unknown host', exceeded(connection('ENOTFOUND')), 'ENOTFOUND', 'passing'],
  ['broker killed during send', nonRetriable(connection('ECONNREFUSED')), 'ECONNREFUSED', 'passing'],
  ['unknown topic', exceeded(protocol('UNKNOWN_TOPIC_OR_PARTITION', 3)), 'UNKNOWN_TOPIC_OR_PARTITION', 'missing'],
  ['bad topic name', nonRetriable(protocol('INVALID_TOPIC_EXCEPTION', 17)), 'INVALID_TOPIC_EXCEPTION', 'refused'],
  ['message too large', protocol('MESSAGE_TOO_LARGE', 10), 'MESSAGE_TOO_LARGE', 'too-large'],
  [
    'request over 100 MiB, 3.9',
    exceeded(thrown('KafkaJSConnectionClosedError')),
    'KafkaJSConnectionClosedError',
    'passing',
  ],
  ['request over 100 MiB, 4.4', exceeded(connection('EPIPE')), 'EPIPE', 'passing'],
  ['too few replicas in sync', exceeded(protocol('NOT_ENOUGH_REPLICAS', 19)), 'NOT_ENOUGH_REPLICAS', 'passing'],
  ['wrong password', thrown('KafkaJSSASLAuthenticationError'), 'KafkaJSSASLAuthenticationError', 'denied'],
  ['mechanism not enabled', protocol('UNSUPPORTED_SASL_MECHANISM', 33), 'UNSUPPORTED_SASL_MECHANISM', 'denied'],
  ['SASL to a plaintext listener', protocol('ILLEGAL_SASL_STATE', 34), 'ILLEGAL_SASL_STATE', 'denied'],
  ['unknown CA', exceeded(connection('SELF_SIGNED_CERT_IN_CHAIN')), 'SELF_SIGNED_CERT_IN_CHAIN', 'denied'],
  ['wrong name', exceeded(connection('ERR_TLS_CERT_ALTNAME_INVALID')), 'ERR_TLS_CERT_ALTNAME_INVALID', 'denied'],
  [
    'no client certificate',
    exceeded(connection('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE')),
    'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
    'denied',
  ],
  [
    'no client certificate, OpenSSL of Node 22',
    exceeded(connection('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE')),
    'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
    'denied',
  ],
  [
    'no client certificate, TLS 1.3',
    exceeded(connection('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')),
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'denied',
  ],
  [
    'client certificate expired',
    exceeded(connection('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED')),
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'denied',
  ],
  [
    'a front that fails itself',
    exceeded(connection('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR')),
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    'passing',
  ],
  ['TLS to plaintext', exceeded(connection('ECONNRESET')), 'ECONNRESET', 'passing'],
  ['no topic ACL', nonRetriable(protocol('TOPIC_AUTHORIZATION_FAILED', 29)), 'TOPIC_AUTHORIZATION_FAILED', 'denied'],
  ['no group ACL', thrown('KafkaJSGroupCoordinatorNotFound'), 'KafkaJSGroupCoordinatorNotFound', 'coordinator'],
  ['idempotent without ACL', protocol('CLUSTER_AUTHORIZATION_FAILED', 31), 'CLUSTER_AUTHORIZATION_FAILED', 'denied'],
  [
    'create topics refused',
    thrown('KafkaJSAggregateError', {
      errors: [thrown('KafkaJSCreateTopicError', { type: 'TOPIC_AUTHORIZATION_FAILED' })],
    }),
    'TOPIC_AUTHORIZATION_FAILED',
    'denied',
  ],
  ['session timeout out of range', protocol('INVALID_SESSION_TIMEOUT', 26), 'INVALID_SESSION_TIMEOUT', 'refused'],
  ['other assigner', protocol('INCONSISTENT_GROUP_PROTOCOL', 23), 'INCONSISTENT_GROUP_PROTOCOL', 'refused'],
  ['codec missing', thrown('KafkaJSNotImplemented'), 'KafkaJSNotImplemented', 'refused'],
  ['send after disconnect', thrown('KafkaJSError', { retriable: true }), 'KafkaJSError', 'passing'],
  ['stale coordinator', thrown('KafkaJSBrokerNotFound'), 'KafkaJSBrokerNotFound', 'coordinator'],
  ['anything else', new RangeError('x'), 'RangeError', 'passing'],
] as const

describe('map-error', () => {
  it.each(rows)('%s - the innermost cause decides', (_situation, error, type, kind) => {
    const fault = faultOf(error)
    expect([fault.type, kindOf(fault)]).toEqual([type, kind])
    expect(fault.cause).toBe(error)
    const mapped = mapFault(fault, { doing: 'Testing' })
    expect(mapped).toBeInstanceOf(kind === 'denied' ? AuthenticationError : TransportDriverError)
    expect(mapped).toMatchObject({ brokerCode: type, cause: fault })
    expect(mapped.retryable).toBe(!['denied', 'refused', 'too-large'].includes(kind))
    expect(isFatal(fault)).toBe(['denied', 'refused'].includes(kind))
  })

  it('what is not an error is a fault all the same', () => {
    expect(faultOf('text')).toMatchObject({ type: 'Error', message: 'text' })
    expect(toFault(new TypeError('x'))).toMatchObject({ type: 'TypeError', written: true })
    expect(toFault(undefined).type).toBe('Error')
  })

  it('a chain of causes that never ends is cut', () => {
    const one = thrown('One')
    one.cause = one
    expect(faultOf(one).type).toBe('One')
  })

  it.each([
    { type: 'ECONNREFUSED', written: false, delivery: 'not-sent' },
    { type: 'ECONNRESET', written: true, delivery: 'unknown' },
    { type: 'REQUEST_TIMED_OUT', written: true, delivery: 'unknown' },
    { type: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', written: true, delivery: 'unknown' },
    { type: 'NOT_LEADER_FOR_PARTITION', written: true, delivery: 'unknown' },
    { type: 'NOT_LEADER_FOR_PARTITION', written: false, delivery: 'not-sent' },
    { type: 'LEADER_NOT_AVAILABLE', written: true, delivery: 'unknown' },
    { type: 'MESSAGE_TOO_LARGE', written: true, delivery: 'not-sent' },
  ])('delivery of $type, written $written, is $delivery', ({ type, written, delivery }) => {
    expect(deliveryOf(new ClientFault(type, 'x', { written }))).toBe(delivery)
  })

  it('the host is named, without credentials', () => {
    expect(mapFault(faultOf(exceeded(connection('ECONNREFUSED'))), { doing: 'Testing' })).toMatchObject({
      host: '127.0.0.1:9092',
    })
  })
})
