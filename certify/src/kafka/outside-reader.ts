// Reads everything that topics hold, in a process of its own and with a plain client, as an unconcerned program would.
// Arguments: brokers separated by commas, then topics. Prints a line for each numbered notification: topic, partition,
// offset, number. A last record is appended to each partition first, so that it is known where to stop whatever lies
// before it.
import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'

const [brokers = '', ...topics] = process.argv.slice(2)
const STILL_MS = 60_000

const kafka = new kafkajs.Kafka({
  brokers: brokers.split(','),
  clientId: 'outside-reader',
  logLevel: kafkajs.logLevel.ERROR,
})
const ends = await appendEnds()
const consumer = kafka.consumer({
  groupId: `outside-${randomUUID()}`,
  maxWaitTimeInMs: 200,
  maxBytesPerPartition: 4_194_304,
})
await consumer.connect()
await consumer.subscribe({ topics, fromBeginning: true })
let lastAt = Date.now()
await new Promise<void>((resolve, reject) => {
  const timer = setInterval(() => {
    if (Date.now() - lastAt > STILL_MS)
      reject(new Error(`Nothing was read for ${STILL_MS / 1000} s, ${ends.size} partitions are unread`))
  }, 1000)
  const run = consumer.run({
    eachBatch: async ({ batch }) => {
      lastAt = Date.now()
      const lines: string[] = []
      for (const { offset, value } of batch.messages) {
        const n = numberOf(value)
        if (n !== undefined) lines.push(`${batch.topic} ${batch.partition} ${offset} ${n}\n`)
      }
      await print(lines.join(''))
      const line = `${batch.topic} ${batch.partition}`
      const end = ends.get(line)
      if (end !== undefined && BigInt(batch.lastOffset()) >= end) ends.delete(line)
      if (ends.size > 0) return
      clearInterval(timer)
      resolve()
    },
  })
  run.catch(reject)
})
await consumer.disconnect()

/** The offset of the last record of each partition. */
async function appendEnds(): Promise<Map<string, bigint>> {
  const admin = kafka.admin()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
  const found = new Map<string, bigint>()
  for (const topic of topics) {
    const partitions = await admin.fetchTopicOffsets(topic)
    const messages = partitions.map(({ partition }) => ({ partition, value: '{"end": true}' }))
    const written = await producer.send({ topic, messages, acks: -1 })
    for (const { partition, baseOffset } of written) found.set(`${topic} ${partition}`, BigInt(baseOffset ?? '0'))
    if (written.length !== partitions.length)
      throw new Error(`${topic} took ${written.length} of ${partitions.length} ends`)
  }
  await Promise.all([admin.disconnect(), producer.disconnect()])
  return found
}

/** The number of a notification as the wire has it: an envelope with a message as text. */
function numberOf(value: Buffer | null): number | undefined {
  const envelope = JSON.parse(String(value)) as Readonly<Record<string, string>>
  const message = envelope['oslo.message']
  if (message === undefined) return undefined
  const { payload } = JSON.parse(message) as { readonly payload: { readonly n?: number } | null }
  return payload?.n
}

async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve))
}
