import { once } from 'node:events'
import rascal from 'rascal'

// Events by rascal with its defaults, but a queue like the others' and no delay: persistent messages over a confirm
// channel.

const socketOptions = { timeout: 10_000, noDelay: true }

export interface RascalPublisher {
  /** Resolves when the broker has confirmed it. */
  publish(event: object): Promise<void>
  close(): Promise<void>
}

export async function createRascalPublisher(url: string, queue: string): Promise<RascalPublisher> {
  const vhost = decodeURIComponent(new URL(url).pathname.slice(1))
  const broker = await rascal.BrokerAsPromised.create(
    rascal.withDefaultConfig({
      vhosts: {
        [vhost]: {
          connection: { url, socketOptions },
          queues: { [queue]: { options: { durable: false } } },
          publications: { events: { queue } },
        },
      },
    }),
  )
  broker.on('error', console.error)
  return {
    async publish(event) {
      const publication = await broker.publish('events', event)
      await once(publication, 'success')
    },
    close: () => broker.shutdown(),
  }
}
