import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getMessaging, type Messaging } from '@oslo-messaging/core'
import { getProbes } from '@oslo-messaging/core/probes'
import { getTracing } from '@oslo-messaging/opentelemetry'
import { getMetrics } from '@oslo-messaging/prometheus'

/** What the manifests name as well: the scaler looks at the queue of the topic, and at the group of the pool. */
export const TOPIC = 'stock'
export const EVENTS = 'stock_events'
export const POOL = 'audit'
/** How long a drain may take; `terminationGracePeriodSeconds` has to be more. */
export const DRAIN_MS = 25_000

/** What clients may call. */
export interface StockMethods {
  take(args: { item: string; count: number }): number
  count_slowly(args: { item: string }): number
}

export interface Service {
  readonly messaging: Messaging
  /** Where the probes answer. */
  readonly url: string
  /** How many events the listener has heard. */
  readonly heard: () => number
}

/** The whole service: it answers RPC, notifies of what it did, hears notifications, and answers its supervisor. The
 *  probes answer before it is ready, so that the supervisor sees why it is not. */
export async function createService(options: {
  readonly configFiles: string
  readonly env: NodeJS.ProcessEnv
  readonly port: number
}): Promise<Service> {
  const { configFiles, env, port } = options
  const messaging = await getMessaging({ configFiles, env })
  // tracing_enabled itself traces RPC, as in Python; this adds notifications.
  if (messaging.conf.get('oslo_messaging_tracing', 'tracing_enabled')) messaging.notifications.use(getTracing())
  const metrics = getMetrics(messaging)
  const probes = getProbes(messaging, { metrics: () => metrics.text() })
  const http = createServer(probes.handle)
  await new Promise<void>((resolve) => http.listen(port, resolve))

  let left = 1000
  let heard = 0
  const notifier = messaging.notifier({ publisherId: 'stock' })
  messaging.server<StockMethods>(
    { topic: TOPIC, server: env['HOSTNAME'] ?? 'stock-0' },
    {
      take: async (context, { item, count }) => {
        left -= count
        await notifier.info(context, 'stock.taken', { item, count })
        return left
      },
      count_slowly: async () => {
        await new Promise((resolve) => setTimeout(resolve, 500))
        return left
      },
    },
  )
  messaging.listener([{ topic: EVENTS }], [{ info: () => void (heard += 1) }], { pool: POOL })
  return { messaging, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, heard: () => heard }
}
