import { once } from 'node:events'
import { type RabbitBroker, startBroker } from '@oslo-messaging/brokers'
import rhea, { type Connection, type Message } from 'rhea'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Which acceptances a node has read when it stops is a matter of moments, so it is stopped several times. */
const MOST_STOPS = 20
const QUEUE = 'work'
const EXCHANGE = 'amq.fanout'
const CREDIT = 20
const LOAD_MS = 2000
const EVERY_MS = 4
const BURST = 10

let broker: RabbitBroker

beforeAll(async () => {
  broker = await startBroker('rabbit', { version: '4.3' })
  // A second queue has copies, which nobody reads: the node has something to write down when it stops.
  for (const queue of [QUEUE, 'copies'])
    await broker.control.eval(
      `Q=rabbit_misc:r(<<"/">>,queue,<<"${queue}">>),rabbit_amqqueue:declare(Q,true,false,[],none,<<"tests">>),` +
        `rabbit_binding:add({binding,rabbit_misc:r(<<"/">>,exchange,<<"${EXCHANGE}">>),<<>>,Q,[]},<<"tests">>)`,
    )
})
afterAll(async () => await broker.close())

/** A connection of rhea alone, on the node that is there. */
async function open(): Promise<Connection> {
  const [node] = broker.hosts
  if (node === undefined) throw new Error('The broker has no address')
  const connection = rhea
    .create_container()
    .connect({ ...node, username: 'guest', password: 'guest', reconnect: false })
  // It ends with its node, which is what is wanted.
  for (const end of ['disconnected', 'connection_error', 'error']) connection.on(end, () => {})
  await once(connection, 'connection_open')
  return connection
}

/** Accepts each message at once, and gives what came: how often as if it were new, by its body. */
function acceptAll(connection: Connection, news: Map<string, number>): void {
  const receiver = connection.open_receiver({
    source: { address: `/queues/${QUEUE}` },
    credit_window: 0,
    autoaccept: false,
  })
  receiver.once('receiver_open', () => receiver.add_credit(CREDIT))
  receiver.on('message', ({ message, delivery }) => {
    const { body, first_acquirer: isNew } = message as Message
    if (isNew === true) news.set(String(body), (news.get(String(body)) ?? 0) + 1)
    delivery?.accept()
    receiver.add_credit(1)
  })
}

describe('RabbitMQ 4.3, shown with rhea alone', () => {
  it('a node that stops forgets what it had delivered: accepted at that moment, messages come again as if they were new', async () => {
    const news = new Map<string, number>()
    const again = (): number => [...news.values()].filter((count) => count > 1).length
    let next = 0
    for (let stops = 0; stops < MOST_STOPS && again() === 0; stops++) {
      for (let receivers = 0; receivers < 2; receivers++) acceptAll(await open(), news)
      const publisher = await open()
      const sender = publisher.open_sender({ target: { address: `/exchanges/${EXCHANGE}` } })
      await once(sender, 'sendable')
      const load = setInterval(() => {
        for (let sent = 0; sent < BURST && sender.sendable(); sent++)
          sender.send({ body: String(next++), durable: true })
      }, EVERY_MS)
      await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
      await broker.nodes[0]?.stop()
      clearInterval(load)
      await broker.nodes[0]?.start()
      const reader = await open()
      acceptAll(reader, news)
      await expect
        .poll(async () => (await broker.control.queue(QUEUE))?.messages, { timeout: 30_000, interval: 200 })
        .toBe(0)
      reader.close()
    }
    expect(again()).toBeGreaterThan(0)
  })
})
