import { Kafka, type Producer, type ProducerBatch } from 'kafkajs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { plainClient, sharedKafka, unique } from '../support/broker.ts'
import { openReal, send } from '../support/open-driver.ts'

const broker = await sharedKafka()
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** How agents get at what is sent: they wrap the producer's methods, and write into its messages or into copies of
 *  them. */
const AGENTS: Readonly<Record<string, (batch: ProducerBatch) => ProducerBatch>> = {
  'writes into the messages': (batch) => {
    for (const { messages } of batch.topicMessages ?? [])
      for (const message of messages) message.headers = { ...message.headers, traceparent: TRACE }
    return batch
  },
  'sends copies of the messages': (batch) => ({
    ...batch,
    topicMessages: (batch.topicMessages ?? []).map(({ topic, messages }) => ({
      topic,
      messages: messages.map((message) => ({ ...message, headers: { ...message.headers, traceparent: TRACE } })),
    })),
  }),
}

describe.skipIf(broker === undefined)('kafka under an APM agent', () => {
  if (broker === undefined) return
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each(Object.keys(AGENTS).flatMap((agent) => ['none', 'gzip', 'snappy'].map((codec) => ({ agent, codec }))))(
    'one that $agent - its headers reach the wire with compression $codec, and every notification is stored once',
    async ({ agent, codec }) => {
      const topic = unique('apm')
      const create = Object.getOwnPropertyDescriptor(Kafka.prototype, 'producer')?.value as () => Producer
      vi.spyOn(Kafka.prototype, 'producer').mockImplementation(function producer(this: Kafka, options): Producer {
        const made: Producer = Reflect.apply(create, this, [options])
        const sendBatch = made.sendBatch.bind(made)
        made.sendBatch = async (batch: ProducerBatch) => await sendBatch(AGENTS[agent]?.(batch) ?? batch)
        return made
      })
      const driver = await openReal(broker.url, { client: 'kafkajs', options: { compression_codec: codec } })
      for (let round = 0; round < 3; round += 1)
        await Promise.all(
          Array.from({ length: 20 }, async (_, n) => await send(driver, `${topic}.info`, 20 * round + n)),
        )
      await driver.close()
      const headers: unknown[] = []
      const consumer = plainClient(broker).consumer({ groupId: unique('reader'), maxWaitTimeInMs: 100 })
      await consumer.connect()
      await consumer.subscribe({ topics: [`${topic}.info`], fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ message }) => {
          headers.push(String(message.headers?.['traceparent']))
          await Promise.resolve()
        },
      })
      await vi.waitFor(() => expect(headers).toHaveLength(60), { timeout: 15_000 })
      await consumer.disconnect()
      expect(new Set(headers)).toEqual(new Set([TRACE]))
    },
  )
})
