import type { IncomingNotification } from '../driver/messages.ts'
import { MessageServer } from '../server/message-server.ts'
import { prefetchOf } from '../server/prefetch.ts'
import type { Target, TargetFields } from '../target.ts'
import { busOf } from '../transport/bus.ts'
import type { Transport } from '../transport/transport.ts'
import type { NotificationEndpoint } from './endpoint.ts'
import {
  handBackOf,
  LISTENER_OPTIONS,
  type NotificationListenerOptions,
  prepareListener,
  sourcesOf,
  withInterceptors,
} from './listener-parts.ts'
import { ListeningCycle } from './listening-cycle.ts'
import { NotificationDispatcher } from './notification-dispatcher.ts'

/** Takes notifications of the targets' topics and brings each to the endpoints that have a method for its priority.
 *
 *  ```ts
 *  const listener = getNotificationListener(bus, [new Target({ topic: 'notifications' })], [{
 *    info: (ctxt, publisherId, eventType, payload) => console.log(eventType, payload),
 *  }])
 *  await listener.start()
 *  ```
 *
 *  A notification is acknowledged when its endpoints are done (drivers that settle before the handler have done so
 *  already). An endpoint that throws is logged and reported, and the notification acknowledged, unless `allowRequeue`.
 *  Unknown priorities and unreadable messages are acknowledged and reported.
 *  Throws UnsupportedCapability when the driver lacks what is asked for, TypeError when no endpoint has a method.
 *  `start` rejects with InvalidTarget without a topic.
 *  Source: oslo_messaging/notify/listener.py. */
export function getNotificationListener(
  transport: Transport,
  targets: readonly (Target | TargetFields)[],
  endpoints: readonly NotificationEndpoint[],
  options: NotificationListenerOptions = {},
): MessageServer {
  const parts = prepareListener(transport, targets, options, LISTENER_OPTIONS)
  const { name, pool, allowRequeue, start, logger, pausing } = parts
  const dispatcher = new NotificationDispatcher(endpoints, parts)
  const sources = sourcesOf(parts.targets, dispatcher.supportedPriorities)
  return new MessageServer({
    name,
    workers: options.workers ?? (() => transport.conf.get('DEFAULT', 'executor_thread_pool_size')),
    logger,
    clock: transport.clock,
    host: busOf(transport),
    health: () => pausing.health,
    listen: async (workers, deadline) => {
      const take = (incoming: IncomingNotification): void =>
        workers.run(
          () => cycle.run(() => dispatcher.dispatch(incoming, cycle.failures)),
          incoming.orderingKey,
          handBackOf(transport, incoming),
        )
      const cycle = new ListeningCycle(transport, parts, workers, take)
      const onMessage = (incoming: IncomingNotification): void => take(withInterceptors(incoming, parts))
      const options = { pool, allowRequeue, ...start, deadline, prefetch: prefetchOf(workers), onMessage }
      return cycle.guard(await busOf(transport).listenForNotifications(sources, options))
    },
  })
}
