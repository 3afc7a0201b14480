import { readFileSync } from 'node:fs'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { ConfigurationError, TransportDriverError } from '@oslo-messaging/core/driver'
import type { RabbitOptions } from '../config.ts'

/** Python's protocol names as the range Node is to negotiate. */
const VERSIONS: Readonly<Record<string, { readonly min?: SecureVersion; readonly max?: SecureVersion }>> = {
  '': {},
  SSLV23: {},
  TLSV1: { min: 'TLSv1', max: 'TLSv1' },
  TLSV1_1: { min: 'TLSv1.1', max: 'TLSv1.1' },
  TLSV1_2: { min: 'TLSv1.2', max: 'TLSv1.2' },
}

/** TLS as the options ask for, each time it is called; undefined when it is off. Reads the files now, so that a wrong
 *  path fails at start, and again for each attempt to connect, so that certificates can be replaced while the process
 *  runs. Throws ConfigurationError; later on TransportDriverError, because a file that is being replaced is missing for
 *  a moment only. */
export function tlsSource(options: RabbitOptions): () => ConnectionOptions | undefined {
  let first = tlsOptions(options)
  return () => {
    const known = first
    first = undefined
    if (known !== undefined) return known
    try {
      return tlsOptions(options)
    } catch (cause) {
      throw new TransportDriverError(cause instanceof Error ? cause.message : String(cause), { retryable: true, cause })
    }
  }
}

/** Source: WIRE 6.11. */
export function tlsOptions(options: RabbitOptions): ConnectionOptions | undefined {
  if (!options.ssl) return undefined
  const range = VERSIONS[options.ssl_version.toUpperCase()]
  if (range === undefined)
    throw new ConfigurationError(
      `TLS version ${options.ssl_version} is not supported: use TLSv1_2, or leave ssl_version empty to negotiate the newest`,
      { option: '[oslo_messaging_rabbit] ssl_version' },
    )
  const verified = options.ssl_ca_file !== ''
  return {
    ...(range.min === undefined ? {} : { minVersion: range.min }),
    ...(range.max === undefined ? {} : { maxVersion: range.max }),
    rejectUnauthorized: verified,
    ...(verified ? { ca: read(options.ssl_ca_file, 'ssl_ca_file') } : {}),
    ...(options.ssl_cert_file === '' ? {} : { cert: read(options.ssl_cert_file, 'ssl_cert_file') }),
    ...(options.ssl_key_file === '' ? {} : { key: read(options.ssl_key_file, 'ssl_key_file') }),
    // Node checks the name against the host in use, so each host of a list is verified against its own certificate.
    ...(options.ssl_enforce_hostname_verification ? {} : { checkServerIdentity: () => undefined }),
  }
}

function read(path: string, option: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigurationError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      option: `[oslo_messaging_rabbit] ${option}`,
      cause: error,
    })
  }
}
