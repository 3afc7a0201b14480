import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { ConfigurationError, type HostCredentials } from '@oslo-messaging/core/driver'
import type { AmqpOptions } from '../config.ts'

function readPem(options: AmqpOptions, option: 'ssl_ca_file' | 'ssl_cert_file' | 'ssl_key_file'): Buffer | undefined {
  const path = options[option]
  if (path === '') return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigurationError(`[oslo_messaging_amqp] ${option}: cannot read ${path}`, {
      cause,
      option: `[oslo_messaging_amqp] ${option}`,
    })
  }
}

/** TLS part of rhea's options; empty without TLS. Throws ConfigurationError when a file cannot be read. */
export function tlsOptions(options: AmqpOptions, hostname: string, virtualHost: string | null): object {
  if (!(options.ssl || options.ssl_ca_file !== '' || options.ssl_cert_file !== '')) return {}
  const name = options.ssl_verify_vhost && virtualHost ? virtualHost : hostname
  const ca = readPem(options, 'ssl_ca_file')
  const cert = readPem(options, 'ssl_cert_file')
  const key = readPem(options, 'ssl_key_file')
  return {
    transport: 'tls',
    // SNI does not know addresses; the certificate is checked against them all the same.
    servername: isIP(name) === 0 ? name : '',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.ssl_key_password === null ? {} : { passphrase: options.ssl_key_password }),
  }
}

/** One SASL mechanism as rhea calls it. Every one of ours says all it has to say at once. */
interface Mechanism {
  start(callback: (error: undefined, response: Buffer | '') => void): void
}

const sayOnce = (response: Buffer | ''): (() => Mechanism) => {
  return () => ({ start: (callback) => callback(undefined, response) })
}

/** SASL part: no SASL layer without a user name, unless a mechanism is asked for or a client certificate stands for the
 *  user. With a password ANONYMOUS is never used, unlike upstream (WIRE 10.10): it would log in as somebody else. The
 *  mechanisms are ours because those of rhea count characters where bytes are meant. Throws ConfigurationError when
 *  what is allowed leaves no mechanism. */
export function saslOptions(options: AmqpOptions, login: HostCredentials | undefined): object {
  const allowed = options.sasl_mechanisms.split(/\s+/).filter((name) => name !== '')
  const may = (name: string): boolean => allowed.length === 0 || allowed.includes(name)
  const name = login?.username ?? ''
  const realm = options.sasl_default_realm
  const user = name !== '' && realm !== '' && !name.includes('@') ? `${name}@${realm}` : name
  const password = login?.password ?? ''
  const mechanisms: Record<string, () => Mechanism> = {}
  if (may('EXTERNAL') && options.ssl_cert_file !== '') mechanisms['EXTERNAL'] = sayOnce('')
  if (may('PLAIN') && user !== '' && password !== '')
    mechanisms['PLAIN'] = sayOnce(Buffer.from(`\0${user}\0${password}`))
  // Without a user name it has to be asked for: upstream then leaves the SASL layer out.
  if (password === '' && (user === '' ? allowed.includes('ANONYMOUS') : may('ANONYMOUS')))
    mechanisms['ANONYMOUS'] = sayOnce(Buffer.from(user === '' ? 'anonymous' : user))
  if (Object.keys(mechanisms).length > 0) return { sasl_mechanisms: mechanisms }
  if (name === '' && allowed.length === 0) return {}
  throw new ConfigurationError(
    `[oslo_messaging_amqp] sasl_mechanisms: none of "${allowed.join(' ')}" can be used${password === '' ? ' without a password' : ''}; PLAIN (user name and password), EXTERNAL (ssl_cert_file) and ANONYMOUS (no password) are known`,
    { option: '[oslo_messaging_amqp] sasl_mechanisms' },
  )
}
