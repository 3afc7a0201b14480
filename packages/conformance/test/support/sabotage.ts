import type { Target } from '@oslo-messaging/core'
import type {
  Driver,
  IncomingNotification,
  IncomingRequest,
  Listener,
  ListenOptions,
  NotificationSource,
  NotifyListenOptions,
  OutgoingNotification,
  OutgoingRequest,
  RPCReply,
  SendOptions,
} from '@oslo-messaging/core/driver'

/** Turns a good driver into one with exactly one fault. */
export type Sabotage = (driver: Driver) => Driver

/** The driver with some of its methods replaced. */
export function replace(changes: (driver: Driver) => Partial<Driver>): Sabotage {
  return (driver) => ({
    send: (target, request, options) => driver.send(target, request, options),
    sendNotification: (target, notification, options) => driver.sendNotification(target, notification, options),
    listen: (target, options) => driver.listen(target, options),
    listenForNotifications: (sources, options) => driver.listenForNotifications(sources, options),
    health: () => driver.health(),
    close: (options) => driver.close(options),
    ...changes(driver),
  })
}

/** Changes what is given to `send`. */
export function sending(
  change: (given: { readonly target: Target; readonly request: OutgoingRequest; readonly options: SendOptions }) => {
    readonly target?: Target
    readonly request?: OutgoingRequest
    readonly options?: SendOptions
  },
): Sabotage {
  return replace((driver) => ({
    send: (target, request, options) => {
      const changed = change({ target, request, options })
      return driver.send(changed.target ?? target, changed.request ?? request, changed.options ?? options)
    },
  }))
}

/** Changes what `send` resolves with. */
export function replying(change: (reply: RPCReply | undefined) => RPCReply | undefined): Sabotage {
  return replace((driver) => ({
    send: async (target, request, options) => change(await driver.send(target, request, options)),
  }))
}

/** Changes what a notifier hands over; null: it is lost, and nobody is told. */
export function notifying(
  change: (notification: OutgoingNotification, target: Target) => OutgoingNotification | null,
): Sabotage {
  return replace((driver) => ({
    sendNotification: async (target, notification, options) => {
      const changed = change(notification, target)
      if (changed !== null) await driver.sendNotification(target, changed, options)
    },
  }))
}

/** Changes how requests are delivered. */
export function serving(deliver: (request: IncomingRequest, onMessage: ListenOptions['onMessage']) => void): Sabotage {
  return replace((driver) => ({
    listen: (target, options) =>
      driver.listen(target, { ...options, onMessage: (request) => deliver(request, options.onMessage) }),
  }))
}

/** Changes how notifications are delivered. */
export function notified(
  deliver: (notification: IncomingNotification, onMessage: NotifyListenOptions['onMessage']) => void,
): Sabotage {
  return replace((driver) => ({
    listenForNotifications: (sources, options) =>
      driver.listenForNotifications(sources, {
        ...options,
        onMessage: (notification) => deliver(notification, options.onMessage),
      }),
  }))
}

/** Changes what is subscribed to. */
export function subscribing(
  change: (
    sources: readonly NotificationSource[],
    options: NotifyListenOptions,
  ) => { readonly sources?: readonly NotificationSource[]; readonly options?: Partial<NotifyListenOptions> },
): Sabotage {
  return replace((driver) => ({
    listenForNotifications: (sources, options) => {
      const changed = change(sources, options)
      return driver.listenForNotifications(changed.sources ?? sources, { ...options, ...changed.options })
    },
  }))
}

/** Changes the listeners of both kinds. */
export function listening(change: (listener: Listener) => Partial<Listener>): Sabotage {
  const changed = (listener: Listener): Listener => ({
    closed: listener.closed,
    stop: () => listener.stop(),
    close: () => listener.close(),
    ...change(listener),
  })
  return replace((driver) => ({
    listen: async (target, options) => changed(await driver.listen(target, options)),
    listenForNotifications: async (sources, options) => changed(await driver.listenForNotifications(sources, options)),
  }))
}

/** Changes what every method rejects with. */
export function failing(change: (error: unknown) => unknown): Sabotage {
  const changed = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw change(error)
    }
  }
  return replace((driver) => ({
    send: (...given) => changed(driver.send(...given)),
    sendNotification: (...given) => changed(driver.sendNotification(...given)),
    listen: (...given) => changed(driver.listen(...given)),
    listenForNotifications: (...given) => changed(driver.listenForNotifications(...given)),
  }))
}

/** A request with some of its members replaced. */
export function requestWith(request: IncomingRequest, changes: Partial<IncomingRequest>): IncomingRequest {
  return {
    context: request.context,
    message: request.message,
    expectsReply: request.expectsReply,
    callMonitorTimeout: request.callMonitorTimeout,
    acknowledge: () => request.acknowledge(),
    requeue: () => request.requeue(),
    reply: (reply) => request.reply(reply),
    heartbeat: () => request.heartbeat(),
    ...changes,
  }
}

/** A notification with some of its members replaced. */
export function notificationWith(
  notification: IncomingNotification,
  changes: Partial<IncomingNotification>,
): IncomingNotification {
  return {
    context: notification.context,
    message: notification.message,
    acknowledge: () => notification.acknowledge(),
    requeue: () => notification.requeue(),
    ...changes,
  }
}

/** Delivers every second message before the first of the pair. */
export function swapped<Message>(): (message: Message, onMessage: (message: Message) => void) => void {
  let held: Message | undefined
  return (message, onMessage) => {
    if (held === undefined) {
      held = message
      return
    }
    onMessage(message)
    onMessage(held)
    held = undefined
  }
}
