import type { ComponentHealth, Driver, DriverDefinition, IncomingNotification } from '@oslo-messaging/core/driver'
import { decodeJson, DeliveryBook, DRIVER_API, encodeJson } from '@oslo-messaging/core/driver'
import { NO_CAPABILITIES, summarizeHealth } from '@oslo-messaging/core/driver'

export const loopbackDriver: DriverDefinition = {
  name: 'loopback',
  // The contract it is written against: a core with another one refuses it by name.
  api: DRIVER_API,
  schemes: ['loopback'],
  capabilities: { ...NO_CAPABILITIES, notifications: true, notificationAcknowledgement: 'before-handler' },
  open: openLoopback,
}

/** What a broker would keep: who listens to `topic.priority`. The first one is next. */
const hub = new Map<string, Set<(text: string) => void>>()
const listenersOf = (name: string) => hub.get(name) ?? hub.set(name, new Set()).get(name)!

function openLoopback(): Driver {
  const components = new Map<() => Promise<void>, ComponentHealth>()
  // Core refuses RPC by name before it gets here, because the capability is not declared.
  const noRpc = () => Promise.reject(new Error('loopback is notify-only'))
  return {
    send: noRpc,
    listen: noRpc,
    health: () => summarizeHealth([...components.values()]),
    close: async () => void (await Promise.all([...components.keys()].map((close) => close()))),

    async sendNotification(target, { context, message, headers }, { deadline }) {
      const text = encodeJson({ context, message, headers })
      deadline.check({ phase: 'publish', delivery: 'not-sent' })
      const listeners = listenersOf(`${target.topic}`)
      for (const next of listeners) {
        listeners.delete(next)
        listeners.add(next)
        return next(text)
      }
    },

    async listenForNotifications(sources, { deadline, prefetch, onMessage }) {
      deadline.check({ phase: 'declare', delivery: 'not-sent' })
      const names = sources.map(({ target, priority }) => `${target.topic}.${priority}`)
      // No more than prefetch are out, each is settled once, and none comes after stop.
      const book = new DeliveryBook({ prefetch })
      const add = (text: string): void =>
        book.add({
          // Here the broker would be told.
          settle: () => {},
          deliver: (delivery) =>
            onMessage({
              ...(decodeJson(text) as Pick<IncomingNotification, 'context' | 'message' | 'headers'>),
              acknowledge: () => delivery.acknowledge(),
              requeue: () => delivery.requeue(),
            }),
        })
      const offer = (text: string): void => queueMicrotask(() => add(text))
      const stop = async (): Promise<void> => {
        for (const name of names) listenersOf(name).delete(offer)
        book.stop()
      }
      let resolveClosed = (): void => {}
      const closed = new Promise<void>((resolve) => (resolveClosed = resolve))
      const close = async (): Promise<void> => {
        await stop()
        components.delete(close)
        resolveClosed()
      }
      for (const name of names) listenersOf(name).add(offer)
      components.set(close, { kind: 'listener', name: names.join(' '), state: 'consuming', sinceMs: Date.now() })
      return { closed, stop, close }
    },
  }
}
