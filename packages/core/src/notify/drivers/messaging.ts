import { emitDiagnostic, hasDiagnosticSubscribers } from '../../diagnostics/channels.ts'
import { observe } from '../../diagnostics/observe.ts'
import type { NotifyOptions } from '../../driver/driver.ts'
import type { OutgoingNotification } from '../../driver/messages.ts'
import { Target } from '../../target.ts'
import { busOf } from '../../transport/bus.ts'
import type { NotificationDriver, NotificationDriverContext } from '../notification-driver.ts'
import { runAll } from '../run-all.ts'

/** Sends over the transport, to `<topic>.<priority>` of each topic, in format 1.0: the bare message. */
export function messagingDriver(context: NotificationDriverContext): NotificationDriver {
  return createMessagingDriver(context, '1.0')
}

/** For `messaging` and `messagingv2`, which differ in the format only. Throws UnsupportedCapability when the transport
 *  carries no notifications. */
export function createMessagingDriver(
  { transport, topics, logger }: NotificationDriverContext,
  version: NotifyOptions['version'],
): NotificationDriver {
  const bus = busOf(transport)
  bus.require('notifications')
  const targets = new Map<string, readonly Target[]>()
  const targetsOf = (priority: string): readonly Target[] => {
    let found = targets.get(priority)
    if (found === undefined) {
      found = topics.map((topic) => new Target({ topic: `${topic}.${priority}` }))
      targets.set(priority, found)
    }
    return found
  }
  const sendObserved = (
    target: Target,
    notification: OutgoingNotification,
    options: NotifyOptions,
    priority: string,
  ): Promise<void> => {
    const observed = observe(transport.clock, (ending) =>
      emitDiagnostic('oslo-messaging:notify:end', () => ({
        topic: String(target.topic),
        priority,
        eventType: notification.message.event_type,
        ...ending,
      })),
    )
    return bus.sendNotification(target, notification, options).then(
      () => observed(),
      (error: unknown) => {
        observed(error)
        throw error
      },
    )
  }
  return {
    notify(context, message, priority, { deadline, retries, headers, orderingKey }) {
      const notification: { -readonly [Field in keyof OutgoingNotification]: OutgoingNotification[Field] } = {
        context,
        message,
      }
      if (headers !== undefined) notification.headers = headers
      if (orderingKey !== undefined) notification.orderingKey = orderingKey
      const options = { version, deadline, retries }
      const send = (target: Target): Promise<void> =>
        hasDiagnosticSubscribers('oslo-messaging:notify:end')
          ? sendObserved(target, notification, options, priority)
          : bus.sendNotification(target, notification, options)
      const [only, ...others] = targetsOf(priority)
      if (only !== undefined && others.length === 0) return send(only)
      const tasks = targetsOf(priority).map((target) => () => send(target))
      return runAll(tasks, logger, 'A notification could not be sent to one of its topics')
    },
  }
}
