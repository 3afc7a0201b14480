import type { NotificationEndpoint } from '../../src/notify/endpoint.ts'
import type { NotificationListenerOptions } from '../../src/notify/listener-parts.ts'
import { getNotificationListener } from '../../src/notify/notification-listener.ts'
import type { MessageServer } from '../../src/server/message-server.ts'
import { Target } from '../../src/target.ts'
import { createFakeBus, type FakeBus } from './fake-bus.ts'

export const TARGET = new Target({ topic: 'notifications' })

export interface Started {
  readonly bus: FakeBus
  readonly listener: MessageServer
}

/** A started listener on `topic`, default `notifications`. */
export async function started(
  endpoints: readonly NotificationEndpoint[],
  options: NotificationListenerOptions & { readonly topic?: string } = {},
  bus?: FakeBus,
): Promise<Started> {
  const used = bus ?? (await createFakeBus())
  const { topic, ...own } = options
  const target = topic === undefined ? TARGET : new Target({ topic })
  const listener = getNotificationListener(used.transport, [target], endpoints, own)
  await listener.start()
  return { bus: used, listener }
}
