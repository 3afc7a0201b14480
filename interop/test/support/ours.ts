import { randomUUID } from 'node:crypto'

import { amqpDriver } from '@oslo-messaging/amqp'
import {
  type AllowedRemoteErrors,
  type ConfigOverrides,
  createDriverRegistry,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
  type NotificationTransport,
  type RPCTransport,
} from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'

const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver, amqpDriver], discover: false })

/** Our side of an RPC bus. */
export async function openRpc(
  url: string,
  allowedRemoteExmods: AllowedRemoteErrors = {},
  overrides: ConfigOverrides = {},
): Promise<RPCTransport> {
  return getRpcTransport(await loadConfig({ overrides }), { url, registry, allowedRemoteExmods, program: 'interop' })
}

/** Our side of a notification bus. */
export async function openBus(url: string, overrides: ConfigOverrides = {}): Promise<NotificationTransport> {
  return getNotificationTransport(await loadConfig({ overrides }), { url, registry, program: 'interop' })
}

/** A name that no other test uses. */
export function unique(word: string): string {
  return `${word}-${randomUUID().slice(0, 8)}`
}
