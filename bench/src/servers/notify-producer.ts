// Fills topics so that consumers find a backlog. Argument: broker list. Task: { topic, count, bytes }.
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { serve } from '../child.ts'
import { encodeNotification } from '../peers/kafkajs-notify.ts'

const BATCH = 500

const [brokers = ''] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'bench-producer', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
await producer.connect()

serve(
  () => producer.disconnect(),
  async (task) => {
    const { topic, count, bytes } = task as { topic: string; count: number; bytes: number }
    const payload = { text: 'x'.repeat(bytes) }
    for (let sent = 0; sent < count; sent += BATCH) {
      const length = Math.min(BATCH, count - sent)
      const messages = Array.from({ length }, () => ({ key: null, value: encodeNotification('bench', payload) }))
      await producer.send({ topic, messages, acks: -1 })
    }
    return count
  },
)
