/** What a failure means for what was under way.
 *  `passing`: the same again may go well: a limit that is reached, a virtual host that is down, a network that breaks.
 *  `operation`: the same again is refused the same way; another operation is not concerned.
 *  `configuration`: nothing goes well until somebody changes credentials, permissions, certificates or options. */
export type RefusalClass = 'passing' | 'operation' | 'configuration'

/** First match counts. `code`: an AMQP reply code, or the code of an error of Node; undefined: any. */
interface Row {
  readonly code?: number | string | RegExp
  readonly text?: RegExp
  readonly is: RefusalClass
}

const ROWS: readonly Row[] = [
  // --- words that say more than their code: 530 and 406 stand for wishes that can never be met as well as for limits
  // that are reached just now
  {
    text: /\blimit\b.*\bis reached\b|\bhas reached the (negotiated channel_max|maximum allowed user limit)\b/is,
    is: 'passing',
  },
  { text: /\bvhost '[^']*' is down\b/i, is: 'passing' },
  // A stream that was just made, or whose node is on its way back.
  { text: /does not have a running replica on the local node/i, is: 'passing' },
  { code: 541, text: /deprecated/, is: 'configuration' },

  // --- AMQP reply codes
  { code: 403, is: 'configuration' },
  { code: 530, is: 'configuration' },
  { text: /ACCESS[-_]REFUSED/, is: 'configuration' },
  { text: /SASL mechanism/, is: 'configuration' },
  { code: 311, is: 'operation' },
  { code: 402, is: 'operation' },
  { code: 405, is: 'operation' },
  { code: 406, is: 'operation' },
  { code: 501, is: 'operation' },
  { code: 502, is: 'operation' },
  { code: 503, is: 'operation' },
  { code: 540, is: 'operation' },

  // --- TLS: what the other side thinks of our certificate, our versions and ciphers; every other alert is about its
  // own state, or about bytes that were damaged
  { code: /^ERR_SSL_WRONG_VERSION_NUMBER$/, is: 'configuration' },
  { text: /ssl.*wrong version number/is, is: 'configuration' },
  {
    code: /^ERR_SSL_.*(ALERT_(CERTIFICATE_\w+|BAD_CERTIFICATE\w*|UNSUPPORTED_\w+|NO_CERTIFICATE|UNKNOWN_CA|UNKNOWN_PSK_IDENTITY|ACCESS_DENIED|HANDSHAKE_FAILURE|PROTOCOL_VERSION|INSUFFICIENT_SECURITY|NO_APPLICATION_PROTOCOL|UNRECOGNIZED_NAME)|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE|CERTIFICATE_VERIFY_FAILED|DH_KEY_TOO_SMALL|(EE|CA)_KEY_TOO_SMALL|CA_MD_TOO_WEAK)/,
    is: 'configuration',
  },
  // Our own key or certificate cannot be used.
  { code: /^ERR_OSSL_/, is: 'configuration' },
  { code: /^ERR_TLS_(CERT_|INVALID_|REQUIRED_SERVER_NAME|PSK_)/, is: 'configuration' },

  // --- certificates of the other side that are not what is asked for
  {
    code: /^UNABLE_TO_|CERT_|_CERT$|_CERT_|^CRL_|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$|^HOSTNAME_MISMATCH$/,
    is: 'configuration',
  },
]

/** Whatever is not in the table passes: sockets, names that cannot be resolved now, a broker that restarts or has a
 *  bug. */
export function refusalClass(code: string | number | undefined, text: string): RefusalClass {
  const fits = (row: Row): boolean =>
    (row.code === undefined ||
      (row.code instanceof RegExp ? typeof code === 'string' && row.code.test(code) : row.code === code)) &&
    (row.text?.test(text) ?? true)
  return ROWS.find(fits)?.is ?? 'passing'
}
