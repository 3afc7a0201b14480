import { type BrokerAdmin, getBrokerAdmin } from '@oslo-messaging/core'
import type { Io } from '../io.ts'
import { UsageError } from '../usage-error.ts'
import { openingOptions, readConfiguration } from './connect.ts'
import type { BrokerOptions } from './options.ts'

/** The operator's door of the broker that the options name. */
export async function openAdmin(
  options: BrokerOptions & { readonly notifications: boolean },
  io: Io,
): Promise<BrokerAdmin> {
  const { url, notifyUrl, notifications } = options
  if (url !== undefined && notifications)
    throw new UsageError('--url names the broker, --notifications takes it from the configuration: give one of them')
  return await getBrokerAdmin(await readConfiguration(options, io), {
    url: notifyUrl ?? url,
    section: notifications ? 'notifications' : 'default',
    ...openingOptions(options, io),
  })
}
