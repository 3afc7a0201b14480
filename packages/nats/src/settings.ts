import { readFile } from 'node:fs/promises'
import { ConfigurationError, type TransportURL } from '@oslo-messaging/core/driver'
import type { NatsOptions } from './config.ts'

/** What the files hold that options name. */
export interface LoginFiles {
  readonly credentials: Uint8Array | undefined
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
}

/** Reads them. Rejects with ConfigurationError, which names the option. */
export async function readLogin(options: NatsOptions): Promise<LoginFiles> {
  const credentials = await read(options, 'credentials_file')
  const [ca, cert, key] = await Promise.all([
    read(options, 'ssl_ca_file'),
    read(options, 'ssl_cert_file'),
    read(options, 'ssl_key_file'),
  ])
  if ((cert === undefined) !== (key === undefined))
    throw new ConfigurationError('A client certificate needs both ssl_cert_file and ssl_key_file', {
      option: '[oslo_messaging_nats] ssl_cert_file',
    })
  const usesTls = options.ssl || ca !== undefined || cert !== undefined
  const texts = { ...text('ca', ca), ...text('cert', cert), ...text('key', key) }
  return { credentials, tls: usesTls ? texts : undefined }
}

/** Throws ConfigurationError for what a URL may hold elsewhere and not here. */
export function checkUrl(url: TransportURL, options: NatsOptions): void {
  if (options.subject_prefix === '')
    throw new ConfigurationError('The prefix of subjects must not be empty', {
      option: '[oslo_messaging_nats] subject_prefix',
    })
  const hasUser = url.hosts.some(({ username }) => username !== null)
  if (hasUser && options.credentials_file !== '')
    throw new ConfigurationError('Give either a user in the URL or a credentials file', {
      option: '[oslo_messaging_nats] credentials_file',
    })
}

type FileOption = 'credentials_file' | 'ssl_ca_file' | 'ssl_cert_file' | 'ssl_key_file'

async function read(options: NatsOptions, name: FileOption): Promise<Uint8Array | undefined> {
  const file = options[name]
  if (file === '') return undefined
  try {
    return await readFile(file)
  } catch (cause) {
    throw new ConfigurationError(`The file cannot be read: ${file}`, { option: `[oslo_messaging_nats] ${name}`, cause })
  }
}

function text(name: 'ca' | 'cert' | 'key', bytes: Uint8Array | undefined): { readonly ca?: string } {
  return bytes === undefined ? {} : { [name]: Buffer.from(bytes).toString() }
}
