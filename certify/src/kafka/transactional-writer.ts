// Writes notifications without numbers in transactions, every second of which it aborts. Arguments: brokers separated
// by commas, milliseconds, topics. Prints, when its time is up, how many transactions were committed and how many
// aborted.
import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'

const [brokers = '', forMs = '0', ...topics] = process.argv.slice(2)
const RECORDS = 5

const kafka = new kafkajs.Kafka({
  brokers: brokers.split(','),
  clientId: 'transactional-writer',
  logLevel: kafkajs.logLevel.NOTHING,
})
const message = JSON.stringify({ event_type: 'certify.foreign', priority: 'INFO', payload: {}, _context: {} })
const value = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': message })
const messages = Array.from({ length: RECORDS }, () => ({ value }))
const end = Date.now() + Number(forMs)
let committed = 0
let aborted = 0
while (Date.now() < end) {
  const producer = kafka.producer({
    transactionalId: `beside-${randomUUID()}`,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  })
  // Nodes come and go meanwhile; a producer that fails is replaced, and its open transaction is ended by its time.
  try {
    await producer.connect()
    while (Date.now() < end) {
      const transaction = await producer.transaction()
      for (const topic of topics) await transaction.send({ topic, messages, acks: -1 })
      if ((committed + aborted) % 2 === 0) {
        await transaction.commit()
        committed += 1
      } else {
        await transaction.abort()
        aborted += 1
      }
    }
  } catch (error) {
    console.error(`transactional writer: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await producer.disconnect()
  }
}
console.log(`${committed} ${aborted}`)
