import { describe, expect, it } from 'vitest'
import { type RefusalClass, refusalClass } from '../../src/connection/refusal-classes.ts'

/** As RabbitMQ 3.10 to 4.3, Node 20 and OpenSSL 3 say it. */
const TABLE: readonly (readonly [RefusalClass, string, string | number | undefined, string])[] = [
  [
    'passing',
    'the virtual host takes no more connections',
    530,
    "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit (5) is reached",
  ],
  [
    'passing',
    'the user has no more connections',
    530,
    "NOT_ALLOWED - connection refused for user 'u': user connection limit (5) is reached",
  ],
  [
    'passing',
    'the node takes no more connections',
    530,
    'NOT_ALLOWED - connection refused: node connection limit (100) is reached',
  ],
  [
    'passing',
    'the user has no more channels',
    530,
    "NOT_ALLOWED - number of channels opened for user 'u' has reached the maximum allowed user limit of (2)",
  ],
  [
    'passing',
    'the connection has no more channels',
    530,
    'NOT_ALLOWED - number of channels opened (2047) has reached the negotiated channel_max (2047)',
  ],
  [
    'passing',
    'the virtual host takes no more queues',
    406,
    "PRECONDITION_FAILED - cannot declare queue 'q' in vhost 'v': queue limit in vhost 'v' (2) is reached",
  ],
  [
    'passing',
    'the virtual host is down',
    541,
    "INTERNAL_ERROR - access to vhost 'v' refused for user 'u': vhost 'v' is down",
  ],
  [
    'passing',
    'a stream has no copy on this node yet',
    406,
    "PRECONDITION_FAILED - stream queue 'q' in vhost '/' does not have a running replica on the local node",
  ],
  ['passing', 'an operator closes it', 320, 'CONNECTION_FORCED - bye'],
  [
    'passing',
    'the node of a queue is down',
    404,
    "NOT_FOUND - home node 'b@h' of durable queue 'q' in vhost '/' is down or inaccessible",
  ],
  ['passing', 'the broker has a bug', 541, 'INTERNAL_ERROR'],
  ['passing', 'the broker has no memory', 506, 'RESOURCE_ERROR'],
  ['passing', 'nothing listens', 'ECONNREFUSED', 'connect ECONNREFUSED'],
  ['passing', 'the name is unknown for now', 'ENOTFOUND', 'getaddrinfo ENOTFOUND broker'],
  ['passing', 'the broker does not answer', 'NO_ANSWER', 'No answer to queue.declare within 10000 ms'],
  ['passing', 'a TLS front whose own side failed', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'tlsv1 alert internal error'],
  ['passing', 'a TLS peer that was interrupted', 'ERR_SSL_TLSV1_ALERT_USER_CANCELLED', 'tlsv1 alert user cancelled'],
  ['passing', 'TLS bytes that were damaged', 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'bad record mac'],
  ['passing', 'a TLS stream that was cut', 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING', 'unexpected eof'],
  ['passing', 'a TLS handshake that took too long', 'ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS handshake timeout'],

  [
    'operation',
    'a queue that is exclusive elsewhere',
    405,
    "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q'",
  ],
  ['operation', 'other arguments', 406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/'"],
  [
    'operation',
    'a message that is too large',
    406,
    'PRECONDITION_FAILED - message size 1200000 is larger than configured max size 1048576',
  ],
  ['operation', 'content that is too large', 311, 'CONTENT_TOO_LARGE'],
  ['operation', 'a method that does not exist', 540, 'NOT_IMPLEMENTED - active=false'],

  [
    'configuration',
    'a wrong password',
    403,
    'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.',
  ],
  [
    'configuration',
    'a wrong password, as amqplib tells it',
    undefined,
    'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
  ],
  [
    'configuration',
    'no permission',
    403,
    "ACCESS_REFUSED - configure access to queue 'q' in vhost '/' refused for user 'u'",
  ],
  ['configuration', 'a virtual host nobody made', 530, 'NOT_ALLOWED - vhost nope not found'],
  ['configuration', 'a virtual host for others', 530, "NOT_ALLOWED - access to vhost 'v' refused for user 'u'"],
  ['configuration', 'a login method nobody offers', undefined, 'SASL mechanism EXTERNAL is not provided by the server'],
  [
    'configuration',
    'a feature that is gone',
    541,
    'INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.',
  ],
  ['configuration', 'TLS towards a plain port', 'ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number'],
  ['configuration', 'no certificate of ours', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate required'],
  ['configuration', 'no certificate of ours, TLS 1.2', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'handshake failure'],
  ['configuration', 'no certificate of ours, Node 22', 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'bad certificate'],
  ['configuration', 'our certificate has expired', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate expired'],
  ['configuration', 'our certificate is of an unknown authority', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'unknown ca'],
  ['configuration', 'no version in common', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'protocol version'],
  ['configuration', 'our key is not of our certificate', 'ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'key values mismatch'],
  [
    'configuration',
    'their authority is unknown',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'self-signed certificate in certificate chain',
  ],
  ['configuration', 'their certificate is its own authority', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ['configuration', 'their certificate has expired', 'CERT_HAS_EXPIRED', 'certificate has expired'],
  [
    'configuration',
    'their authority cannot be found',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'unable to get local issuer certificate',
  ],
  [
    'configuration',
    'their certificate names another host',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    "Hostname/IP does not match certificate's altnames",
  ],
]

describe('what a refusal means', () => {
  it.each(TABLE)('%s: %s', (expected, _what, code, text) => {
    expect(refusalClass(code, text)).toBe(expected)
  })
})
