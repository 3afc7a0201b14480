import { randomUUID } from 'node:crypto'
import { sharedBroker, type SharedKafka, skipOrFail } from '@oslo-messaging/brokers'
import { type Admin, Kafka, logLevel } from 'kafkajs'

/** The Kafka of this run; undefined: this machine cannot have one. */
export async function sharedKafka(): Promise<SharedKafka | undefined> {
  return await skipOrFail(sharedBroker('kafka'))
}

/** A name nobody else uses. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`
}

export interface Address {
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
}

/** A plain client, to look from outside. */
export function plainClient({ hosts }: Address): Kafka {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  return new Kafka({ brokers: hosts.map(({ host, port }) => `${host}:${port}`), logLevel: logLevel.NOTHING })
}

export async function withAdmin<T>(broker: Address, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = plainClient(broker).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Stores values as another program would. */
export async function store(broker: Address, topic: string, values: readonly (string | null)[]): Promise<void> {
  const producer = plainClient(broker).producer()
  await producer.connect()
  try {
    await producer.send({ topic, messages: values.map((value) => ({ value })) })
  } finally {
    await producer.disconnect()
  }
}

/** Everything a topic holds, as another program reads it; resolves when it has `count` values. */
export async function readAll(broker: Address, topic: string, count: number): Promise<string[]> {
  const consumer = plainClient(broker).consumer({ groupId: unique('reader'), maxWaitTimeInMs: 100 })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${values.length} of ${count} values in ${topic}`)), 20_000)
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          for (const { value } of batch.messages) values.push(String(value))
          if (values.length >= count) {
            clearTimeout(timer)
            resolve()
          }
          await Promise.resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}
