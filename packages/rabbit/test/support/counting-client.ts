import { amqplibClient, type ClientChannel, type ClientConnection, type RabbitClient } from '../../src/client/client.ts'

/** What a client library was asked to do, with the moment of each connection attempt (`performance.now()`). */
export interface Counts {
  readonly connectedAt: number[]
  /** Declarations the broker was asked for, by entity: `queue q`, `exchange e`, `bind q e key`. */
  readonly declared: Map<string, number>
  /** Those it has carried out. */
  readonly done: Map<string, number>
  /** Confirmed publishes handed over, and those whose outcome came back. */
  published: number
  settled: number
}

/** The real client library, counted. */
export function countingClient(): RabbitClient & { readonly counts: Counts } {
  const counts: Counts = { connectedAt: [], declared: new Map(), done: new Map(), published: 0, settled: 0 }
  return {
    counts,
    async connect(options) {
      counts.connectedAt.push(performance.now())
      return countConnection(await amqplibClient.connect(options), counts)
    },
  }
}

function countConnection(connection: ClientConnection, counts: Counts): ClientConnection {
  const open = connection.openChannel.bind(connection)
  connection.openChannel = async () => countDeclarations(await open(), counts)
  const openConfirm = connection.openConfirmChannel.bind(connection)
  connection.openConfirmChannel = async () => {
    const channel = await openConfirm()
    const publish = channel.publish.bind(channel)
    channel.publish = (message, onConfirm) => {
      const accepted = publish(message, (error) => {
        counts.settled += 1
        onConfirm(error)
      })
      if (accepted) counts.published += 1
      return accepted
    }
    return channel
  }
  return connection
}

function countDeclarations(channel: ClientChannel, { declared, done }: Counts): ClientChannel {
  const count = (counts: Map<string, number>, entity: string): unknown =>
    counts.set(entity, (counts.get(entity) ?? 0) + 1)
  async function counted<T>(entity: string, operation: Promise<T>): Promise<T> {
    count(declared, entity)
    const result = await operation
    count(done, entity)
    return result
  }
  const declareQueue = channel.declareQueue.bind(channel)
  channel.declareQueue = async (queue) => await counted(`queue ${queue.name}`, declareQueue(queue))
  const declareExchange = channel.declareExchange.bind(channel)
  channel.declareExchange = async (exchange) => await counted(`exchange ${exchange.name}`, declareExchange(exchange))
  const bindQueue = channel.bindQueue.bind(channel)
  channel.bindQueue = async (queue, exchange, key) =>
    await counted(`bind ${queue} ${exchange} ${key}`, bindQueue(queue, exchange, key))
  return channel
}
