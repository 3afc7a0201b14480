import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** The configuration of a hybrid service: calls over one broker, notifications over the other. */
export function serviceConf(urls: { readonly rpc: string; readonly notify: string }): string {
  return [
    '[DEFAULT]',
    `transport_url = ${urls.rpc}`,
    '',
    '[oslo_messaging_notifications]',
    'driver = messagingv2',
    `transport_url = ${urls.notify}`,
    '',
  ].join('\n')
}

export async function writeServiceConf(
  file: string,
  urls: { readonly rpc: string; readonly notify: string },
): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, serviceConf(urls), { mode: 0o600 })
}
