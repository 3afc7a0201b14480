import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type NotificationEndpoint,
  Notifier,
  Target,
  type Transport,
  type TransportOptions,
} from '@oslo-messaging/core'
import { createMemoryDriver, type MemoryBroker } from '@oslo-messaging/core/testing'
import type { ConformancePeer } from '../../src/index.ts'

/** The other side of the in-process driver: the same library, whole, at the same broker. */
export function memoryPeer(broker: MemoryBroker): ConformancePeer {
  const options: TransportOptions = {
    url: 'memory://',
    registry: createDriverRegistry({ drivers: [createMemoryDriver({ broker })] }),
  }
  return {
    name: 'the in-process driver',
    async serve(topic, server, onRequest) {
      const transport = await getRpcTransport(options)
      const endpoint = {
        echo(_context: object, args: object): object {
          onRequest('echo')
          return args
        },
        fail(_context: object, { message }: { readonly message: string }): never {
          throw new RangeError(message)
        },
      }
      const running = getRpcServer(transport, new Target({ topic, server }), [endpoint])
      await running.start()
      return async () => {
        await running.stop()
        await running.wait()
        await transport.close()
      }
    },
    call: async (topic, method, args) =>
      await within(await getRpcTransport(options), (transport) =>
        getRpcClient(transport, new Target({ topic })).call({}, method, args),
      ),
    fanout: async (topic, method, args) =>
      await within(await getRpcTransport(options), (transport) =>
        getRpcClient(transport, new Target({ topic, fanout: true })).cast({}, method, args),
      ),
    notify: async (topic, priority, payload) =>
      await within(await getNotificationTransport(options), async (transport) => {
        const notifier = new Notifier(transport, { driver: 'messagingv2', publisherId: 'theirs', topics: [topic] })
        await notifier[priority as 'info']({}, 'conformance.event', payload)
      }),
    async listen(topic, priorities, onNotification) {
      const transport = await getNotificationTransport(options)
      const endpoint: NotificationEndpoint = Object.fromEntries(
        priorities.map((priority) => [
          priority,
          (...[, , , payload]: readonly unknown[]) => onNotification(priority, payload),
        ]),
      )
      const listener = getNotificationListener(transport, [new Target({ topic })], [endpoint])
      await listener.start()
      return async () => {
        await listener.stop()
        await listener.wait()
        await transport.close()
      }
    },
  }
}

async function within<T extends Transport, Result>(
  transport: T,
  use: (transport: T) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(transport)
  } finally {
    await transport.close()
  }
}
