import { randomUUID } from 'node:crypto'
import { CompressionTypes, type Consumer, Kafka, logLevel, type Message, Partitioners, type Producer } from 'kafkajs'

// What a good programmer writes by hand with kafkajs: the same records, acknowledgements and commits as the driver.

const kafkaOf = (brokers: readonly string[]): Kafka =>
  new Kafka({ clientId: 'bench-peer', brokers: [...brokers], logLevel: logLevel.NOTHING })

/** `host:port` list of a transport URL. */
export function brokersOf(transportUrl: string): string[] {
  const [, list = ''] = /^[a-z]+:\/\/([^/]*)/.exec(transportUrl) ?? []
  return list.split(',').map((host) => host.slice(host.lastIndexOf('@') + 1))
}

export function encodeNotification(eventType: string, payload: unknown): string {
  const message = {
    message_id: randomUUID(),
    publisher_id: 'bench',
    event_type: eventType,
    priority: 'INFO',
    payload,
    timestamp: new Date().toISOString().replace('T', ' ').replace('Z', '000'),
    _context: {},
  }
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })
}

export function decodeNotification(value: Buffer): Record<string, unknown> {
  const envelope = JSON.parse(value.toString()) as Record<string, string>
  return JSON.parse(envelope['oslo.message'] ?? '') as Record<string, unknown>
}

export interface HandWrittenNotifier {
  info(eventType: string, payload: unknown): Promise<void>
  close(): Promise<void>
}

async function connectProducer(brokers: readonly string[]): Promise<Producer> {
  const producer = kafkaOf(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  return producer
}

const send = async (producer: Producer, topic: string, messages: Message[]): Promise<void> => {
  await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None })
}

/** Every notification is a request of its own. */
export async function createPlainNotifier(brokers: readonly string[], topic: string): Promise<HandWrittenNotifier> {
  const producer = await connectProducer(brokers)
  return {
    info: (eventType, payload) => send(producer, topic, [{ key: null, value: encodeNotification(eventType, payload) }]),
    close: () => producer.disconnect(),
  }
}

interface Waiting {
  readonly topic: string
  readonly message: Message
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Notifications that are sent while a request is under way share the next one; each is resolved when its request is
 *  acknowledged.
 *  Each goes to the next of the topics in turn. */
export async function createSharingNotifier(
  brokers: readonly string[],
  topics: readonly string[],
): Promise<HandWrittenNotifier> {
  const producer = await connectProducer(brokers)
  let turn = 0
  let waiting: Waiting[] = []
  let isSending = false
  const flush = async (): Promise<void> => {
    isSending = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await producer.sendBatch({
          topicMessages: byTopic(batch),
          acks: -1,
          compression: CompressionTypes.None,
        })
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isSending = false
  }
  return {
    info: (eventType, payload) =>
      new Promise((resolve, reject) => {
        const topic = topics[(turn += 1) % topics.length] ?? ''
        waiting.push({ topic, message: { key: null, value: encodeNotification(eventType, payload) }, resolve, reject })
        if (isSending) return
        isSending = true
        // Whoever sends in the same turn of the event loop is taken along.
        setImmediate(() => void flush())
      }),
    close: () => producer.disconnect(),
  }
}

function byTopic(batch: readonly Waiting[]): { topic: string; messages: Message[] }[] {
  const messages = new Map<string, Message[]>()
  for (const { topic, message } of batch) {
    const own = messages.get(topic)
    if (own === undefined) messages.set(topic, [message])
    else own.push(message)
  }
  return [...messages].map(([topic, own]) => ({ topic, messages: own }))
}

/** Consumes with eachBatch: commits a batch synchronously, then handles each record, as the driver does by default.
 *  Ends with `close`. */
export async function createHandWrittenConsumer(
  brokers: readonly string[],
  topic: string,
  groupId: string,
  onNotification: (message: Record<string, unknown>) => void,
): Promise<{ close(): Promise<void> }> {
  const consumer: Consumer = kafkaOf(brokers).consumer({ groupId, maxWaitTimeInMs: 1_000 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve())
  })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async (payload) => {
      const { batch } = payload
      const last = batch.messages.at(-1)
      if (last === undefined) return
      const offset = (BigInt(last.offset) + 1n).toString()
      await consumer.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset }])
      payload.resolveOffset(last.offset)
      for (const { value } of batch.messages) if (value !== null) onNotification(decodeNotification(value))
    },
  })
  await joined
  return { close: () => consumer.disconnect() }
}

/** Creates a topic with the given partitions; nothing happens when it exists. */
export async function createTopic(brokers: readonly string[], topic: string, numPartitions: number): Promise<void> {
  const admin = kafkaOf(brokers).admin()
  await admin.connect()
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  } finally {
    await admin.disconnect()
  }
}
