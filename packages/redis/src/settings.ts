import { readFile } from 'node:fs/promises'
import { ConfigurationError, type TransportURL } from '@oslo-messaging/core/driver'
import type { RedisOptions } from './config.ts'

/** What a connection needs besides its host. */
export interface Settings {
  readonly database: number
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
}

/** Reads the URL and the files that options name. Rejects with ConfigurationError. */
export async function readSettings(url: TransportURL, options: RedisOptions): Promise<Settings> {
  const path = url.virtualHost ?? ''
  if (!/^\d{0,4}$/.test(path))
    throw new ConfigurationError(
      `The path of a redis:// URL is the number of a database (0 to 15 usually), not ${JSON.stringify(path)}`,
    )
  const [ca, cert, key] = await Promise.all([
    read(options, 'ssl_ca_file'),
    read(options, 'ssl_cert_file'),
    read(options, 'ssl_key_file'),
  ])
  if ((cert === undefined) !== (key === undefined))
    throw new ConfigurationError('A client certificate needs both ssl_cert_file and ssl_key_file', {
      option: '[oslo_messaging_redis] ssl_cert_file',
    })
  const usesTls = options.ssl || ca !== undefined || cert !== undefined
  const texts = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
  return { database: Number(path), tls: usesTls ? texts : undefined }
}

async function read(options: RedisOptions, name: 'ssl_ca_file' | 'ssl_cert_file' | 'ssl_key_file') {
  const file = options[name]
  if (file === '') return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(`The file cannot be read: ${file}`, {
      option: `[oslo_messaging_redis] ${name}`,
      cause,
    })
  }
}
