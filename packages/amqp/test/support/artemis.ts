import {
  type ArtemisBroker,
  type ArtemisOptions,
  skipOrFail,
  startBroker,
  type UrlOptions,
} from '@oslo-messaging/brokers'
import { manage, type Management } from './artemis-management.ts'
import type { Place } from './put.ts'

/** Artemis and the levers the tests pull; all of them go over AMQP. */
export interface Artemis {
  readonly broker: ArtemisBroker
  readonly place: Place
  readonly url: string
  readonly management: Management
  urlFor(options?: UrlOptions): string
  /** Cuts every connection of the test user, without a word. */
  cutConnections(): Promise<void>
  /** Withholds credit from new senders of the address, and gives it again. */
  block(address: string): Promise<void>
  unblock(address: string): Promise<void>
  /** Deletes the queue; its receivers are detached. */
  destroyQueue(name: string): Promise<void>
  /** Messages of a queue. */
  depth(queue: string): Promise<number>
  close(): Promise<void>
}

/** Undefined (with a line that says why) where this machine cannot have it; an error when `CI` is set. */
export async function artemis(options: ArtemisOptions = {}): Promise<Artemis | undefined> {
  const broker = await skipOrFail(startBroker('artemis', options))
  return broker === undefined ? undefined : await withLevers(broker)
}

async function withLevers(broker: ArtemisBroker): Promise<Artemis> {
  const [port = 0] = broker.ports
  const management = manage({ port, username: 'admin', password: 'admin' })
  return {
    broker,
    place: { port, username: 'app', password: 'secret' },
    url: broker.url,
    management,
    urlFor: (options) => broker.urlFor(options),
    cutConnections: async () => void (await management.invoke('broker', 'closeConnectionsForUser', ['app'])),
    block: async (address) => void (await management.invoke(`address.${address}`, 'block', [])),
    unblock: async (address) => void (await management.invoke(`address.${address}`, 'unblock', [])),
    destroyQueue: async (name) => void (await management.invoke('broker', 'destroyQueue', [name, true, true])),
    depth: async (queue) => Number(await management.read(`queue.${queue}`, 'messageCount')),
    close: async () => {
      await management.close()
      await broker.close()
    },
  }
}
