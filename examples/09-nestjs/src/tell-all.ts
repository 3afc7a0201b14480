import { setTimeout as after } from 'node:timers/promises'
import { Messaging, type MessagingOptions, type RPCClient, UnsupportedVersion, ValueError } from '@oslo-messaging/core'
import { OsloHealthIndicator, rpcClientToken } from '@oslo-messaging/nestjs'
import { createApp } from './app.ts'
import { cancelled, type Stock } from './stock.ts'
import type { Story } from './story.ts'

const IN_PROCESS: MessagingOptions = {
  url: 'memory://',
  overrides: { oslo_messaging_notifications: { driver: 'messagingv2', topics: ['shop_events'] } },
}

/** The service, called as another service would; in process unless brokers are given. */
export async function tellAll(story: Story, buses: MessagingOptions = IN_PROCESS): Promise<void> {
  const app = await createApp(buses, { logger: false })
  const messaging = app.get(Messaging)
  const heard: string[] = []
  messaging.listener(
    [{ topic: 'shop_events' }],
    [{ info: (_context, publisher, event) => void heard.push(`${event} of ${publisher}`) }],
  )
  await messaging.start()
  await app.listen()
  const { messaging: health } = app.get(OsloHealthIndicator).isHealthy('messaging')
  story.tell('ready', `The buses are ${health?.status}`, { status: health?.status })

  const stock = app.get<RPCClient<Stock>>(rpcClientToken('stock'))
  const { left, by } = await stock.call({ user_id: 'ada' }, 'reserve', { item: 'bolt', count: 4 })
  story.tell('called', `4 bolts reserved by ${by}, ${left} left`, { by, left })
  await until(() => heard.length > 0)
  story.tell('notified', `${heard[0]} was notified`, { heard: heard[0] })

  const refused = await stock.call({}, 'reserve', { item: 'bolt', count: 40 }).catch((error: unknown) => error)
  if (!(refused instanceof ValueError)) throw refused
  story.tell('refused', `The caller gets what the method threw: ${refused.name}`, { error: refused.name })

  const newer = await stock
    .prepare({ version: '2.0' })
    .call({}, 'reserve', { item: 'bolt', count: 1 })
    .catch((error: unknown) => error)
  if (!(newer instanceof UnsupportedVersion)) throw newer
  story.tell('unsupported', `Nobody has version 2.0: ${newer.name}`, { error: newer.name })

  await messaging.notifier({ publisherId: 'shop.orders' }).info({}, 'order.cancelled', { item: 'bolt', count: 4 })
  await until(() => cancelled.length > 0)
  story.tell('cancelled', `An order was cancelled: ${cancelled[0]} left`, { left: cancelled[0] })

  await app.close()
  story.tell('closed', `Everything was drained, the buses are ${messaging.health().status}`, {
    status: messaging.health().status,
  })
}

/** Resolves when it holds; rejects after 10 s. */
async function until(holds: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(10_000)
  while (!holds()) await after(5, undefined, { signal: limit })
}
