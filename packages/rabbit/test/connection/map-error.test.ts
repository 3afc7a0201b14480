import {
  AuthenticationError,
  ConfigurationError,
  ReplyPathLost,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { classify, mapError } from '../../src/connection/map-error.ts'

function amqplibError(code: number | string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/** What amqplib raises in each situation (measured with 2.3.1), and what it becomes. */
const TABLE: readonly (readonly [string, Error, new (...parameters: never[]) => Error, 'retry' | 'fatal', RegExp])[] = [
  [
    'wrong password',
    new Error(
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."',
    ),
    AuthenticationError,
    'fatal',
    /Login was refused/,
  ],
  [
    'no such virtual host',
    amqplibError(530, 'NOT_ALLOWED - vhost nope not found'),
    AuthenticationError,
    'fatal',
    /vhost nope not found/,
  ],
  [
    'mechanism not offered',
    new Error('SASL mechanism EXTERNAL is not provided by the server'),
    AuthenticationError,
    'fatal',
    /EXTERNAL/,
  ],
  [
    'no permission on a channel',
    amqplibError(
      403,
      "Channel closed by server: 403 (ACCESS-REFUSED) with message \"ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'u'\"",
    ),
    AuthenticationError,
    'fatal',
    /refused for user/,
  ],
  [
    'nothing listens',
    amqplibError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5672'),
    TransportDriverError,
    'retry',
    /ECONNREFUSED/,
  ],
  ['reset', amqplibError('ECONNRESET', 'read ECONNRESET'), TransportDriverError, 'retry', /ECONNRESET/],
  [
    'another protocol',
    new Error('Socket closed abruptly during opening handshake'),
    TransportDriverError,
    'retry',
    /abruptly/,
  ],
  ['silence', new Error('Heartbeat timeout'), TransportDriverError, 'retry', /Heartbeat/],
  [
    'closed by an operator',
    amqplibError(320, 'Connection closed: 320 (CONNECTION-FORCED) with message "CONNECTION_FORCED - bye"'),
    TransportDriverError,
    'retry',
    /bye/,
  ],
  [
    'queue missing',
    amqplibError(
      404,
      "Operation failed: QueueDeclare; 404 (NOT-FOUND) with message \"NOT_FOUND - no queue 'q' in vhost '/'\"",
    ),
    TransportDriverError,
    'retry',
    /no queue 'q'/,
  ],
  ['exclusive elsewhere', amqplibError(405, 'RESOURCE_LOCKED'), TransportDriverError, 'fatal', /LOCKED/],
  ['broker bug', amqplibError(541, 'INTERNAL_ERROR'), TransportDriverError, 'retry', /INTERNAL/],
  [
    'a feature the broker no longer permits',
    amqplibError(
      541,
      'Connection closed: 541 (INTERNAL-ERROR) with message "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\nBy default, this feature is not permitted anymore."',
    ),
    ConfigurationError,
    'fatal',
    /rabbit_transient_quorum_queue = true/,
  ],
  [
    'an unknown authority',
    amqplibError('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'),
    AuthenticationError,
    'fatal',
    /self-signed/,
  ],
  [
    'another name in the certificate',
    amqplibError('ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"),
    AuthenticationError,
    'fatal',
    /altnames/,
  ],
  [
    'a client certificate is wanted',
    amqplibError('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate required'),
    AuthenticationError,
    'fatal',
    /certificate required/,
  ],
]

describe('mapError', () => {
  it.each(TABLE)('%s', (_name, error, kind, outcome, text) => {
    const mapped = mapError(error, { host: 'h:1' })
    expect(mapped).toBeInstanceOf(kind)
    expect(mapped.message).toMatch(text)
    expect(mapped.cause).toBe(error)
    expect(classify(error)).toBe(outcome)
  })

  it('leaves errors of this library alone', () => {
    const error = new ReplyPathLost('gone')
    expect(mapError(error)).toBe(error)
  })

  it('P16 - shows a refused declaration field by field, with the option to align', () => {
    const text =
      "Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message \"PRECONDITION_FAILED - inequivalent arg 'x-expires' for queue 'reply_1' in vhost '/': received the value '1800000' of type 'signedint' but current is none\""
    const { message, retryable } = mapError(amqplibError(406, text))
    expect(message).toBe(
      [
        "The queue 'reply_1' in virtual host '/' exists with another 'x-expires'",
        '  asked for: x-expires = 1800000',
        '  it has:    x-expires = none',
        'Nothing was changed. Align [oslo_messaging_rabbit] rabbit_transient_queues_ttl with the services that declared it, or delete the entity by hand once it is empty.',
      ].join('\n'),
    )
    expect(retryable).toBe(false)
  })
})

it.each([
  [
    'a wrong password',
    'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused using authentication mechanism AMQPLAIN. For details see the broker logfile."',
    /user and password in transport_url/,
  ],
  ['a virtual host nobody made', 'NOT_ALLOWED - vhost nope not found', /virtual host in transport_url/],
  [
    'TLS towards a plain port',
    '80AC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl3_record.c:350:\n',
    /does not speak TLS.*\[oslo_messaging_rabbit\] ssl/,
  ],
])('%s - the message names what to look at, in one line', (_, text, advice) => {
  const code = text.startsWith('NOT_ALLOWED') ? 530 : text.includes('SSL') ? 'ERR_SSL_WRONG_VERSION_NUMBER' : undefined
  const error = mapError(Object.assign(new Error(text), code === undefined ? {} : { code }), { host: 'h:5672' })
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(error.message).toMatch(advice)
  expect(error.message).not.toContain('\n')
})
