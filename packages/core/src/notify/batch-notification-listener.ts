import type { IncomingNotification } from '../driver/messages.ts'
import { MessageServer } from '../server/message-server.ts'
import { LARGEST_PREFETCH } from '../server/prefetch.ts'
import type { Target, TargetFields } from '../target.ts'
import { busOf } from '../transport/bus.ts'
import type { Transport } from '../transport/transport.ts'
import { BatchNotificationDispatcher } from './batch-notification-dispatcher.ts'
import { Batcher } from './batcher.ts'
import type { BatchNotificationEndpoint } from './endpoint.ts'
import { ListeningCycle } from './listening-cycle.ts'
import { checkOptions, type OptionNames } from '../util/check.ts'
import {
  handBackOf,
  LISTENER_OPTIONS,
  type NotificationListenerOptions,
  prepareListener,
  sourcesOf,
  withInterceptors,
} from './listener-parts.ts'

/** Settings of a batch listener; everything may be left out. */
export interface BatchNotificationListenerOptions extends NotificationListenerOptions {
  /** A batch is complete with so many notifications, 1 to 10 000. Default 100. */
  readonly batchSize?: number | undefined
  /** Or so long after its first notification, milliseconds; null: only when it is full. Default 1000. */
  readonly batchTimeoutMs?: number | null | undefined
  /** Batches handled at the same time. Default 1, which keeps them in order. */
  readonly workers?: number | undefined
}

const OPTIONS: OptionNames<BatchNotificationListenerOptions> = {
  ...LISTENER_OPTIONS,
  batchSize: true,
  batchTimeoutMs: true,
}

const LARGEST_BATCH = 10_000
/** All batches that contain ordered messages go one after the other. */
const ORDERED = 'batches'

/** Like `getNotificationListener`, but endpoints get batches: lists of the notifications of one priority.
 *  A batch ends when it is full, when its time is up (counted from its first notification), or when the listener stops.
 *  The driver is asked for enough messages to fill the batches being handled and one more. Parts are handled in the
 *  alphabetical order of their priorities; REQUEUE or an exception concerns the whole part.
 *  Source: oslo_messaging/notify/listener.py. */
export function getBatchNotificationListener(
  transport: Transport,
  targets: readonly (Target | TargetFields)[],
  endpoints: readonly BatchNotificationEndpoint[],
  options: BatchNotificationListenerOptions = {},
): MessageServer {
  checkOptions('A notification listener', options, OPTIONS)
  const { batchSize = 100, batchTimeoutMs = 1000, workers = 1 } = options
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > LARGEST_BATCH)
    throw new TypeError(`batchSize must be a whole number from 1 to ${LARGEST_BATCH}, not ${batchSize}`)
  if (batchTimeoutMs !== null && !(batchTimeoutMs >= 0))
    throw new TypeError(`batchTimeoutMs must be milliseconds or null, not ${batchTimeoutMs}`)
  const parts = prepareListener(transport, targets, options, OPTIONS)
  const { name, pool, allowRequeue, start, logger, pausing } = parts
  const dispatcher = new BatchNotificationDispatcher(endpoints, parts)
  const sources = sourcesOf(parts.targets, dispatcher.supportedPriorities)
  const { clock } = transport
  return new MessageServer({
    name,
    workers,
    logger,
    clock,
    host: busOf(transport),
    health: () => pausing.health,
    listen: async (workers, deadline) => {
      const cycle = new ListeningCycle(transport, parts, workers, (incoming) => batcher.add(incoming))
      const batcher = new Batcher<IncomingNotification>({
        size: batchSize,
        timeoutMs: batchTimeoutMs,
        clock,
        onBatch: (batch) =>
          workers.run(
            () => cycle.run(() => dispatcher.dispatch(batch, cycle.failures)),
            batch.some((incoming) => incoming.orderingKey !== undefined) ? ORDERED : undefined,
            handBackAll(transport, batch),
          ),
      })
      const prefetch = Math.min(batchSize * (workers.size + 1), LARGEST_PREFETCH)
      const onMessage = (incoming: IncomingNotification): void => batcher.add(withInterceptors(incoming, parts))
      const listener = await busOf(transport).listenForNotifications(sources, {
        pool,
        allowRequeue,
        ...start,
        deadline,
        prefetch,
        onMessage,
      })
      // Nothing more will fill the batch once intake has stopped.
      return cycle.guard(listener, () => batcher.flush())
    },
  })
}

function handBackAll(transport: Transport, batch: readonly IncomingNotification[]): (() => void) | undefined {
  const handBacks = batch.map((incoming) => handBackOf(transport, incoming))
  if (handBacks.includes(undefined)) return undefined
  return () => {
    for (const handBack of handBacks) handBack?.()
  }
}
