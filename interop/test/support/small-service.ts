import * as oslo from '@oslo-messaging/core'

interface Orders {
  place(args: { item: string; at: Date }): { id: number; placed: Date }
}

/** Server, client, notifier and listener, written from the README alone. */
export async function run(at: oslo.TransportOptions, topic: string, say: (line: string) => void): Promise<void> {
  const transport = await oslo.getRpcTransport(at)
  const bus = await oslo.getNotificationTransport(at)
  const notifier = new oslo.Notifier(bus, { publisherId: 'orders.node1', driver: 'messagingv2', topics: [topic] })
  const listener = oslo.getNotificationListener(
    bus,
    [{ topic }],
    [
      {
        info: (_context, publisherId, eventType, payload) =>
          say(`${publisherId} ${eventType} ${JSON.stringify(payload)}`),
      },
    ],
  )
  const server = oslo.getRpcServer<Orders>(
    transport,
    { topic, server: 'node1' },
    {
      place: async (context, { item, at }) => {
        await notifier.info(context, 'order.placed', { item })
        return { id: at.length, placed: new Date(0) }
      },
    },
  )
  await Promise.all([listener.start(), server.start()])
  const order = await oslo
    .getRpcClient<Orders>(transport, { topic })
    .call({ request_id: 'r1' }, 'place', { item: 'bolt', at: new Date(0) })
  say(`${order.id} ${order.placed.slice(0, 10)}`)
  await Promise.all([transport.close(), bus.close()])
}
