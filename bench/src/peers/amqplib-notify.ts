import { randomUUID } from 'node:crypto'
import { connect, type ConfirmChannel, type Options } from 'amqplib'

// Notifications by hand with amqplib: the same messages, declarations, confirms and acknowledgements as the driver,
// without its recovery and limits.

const EXCHANGE = 'openstack'
const PREFETCH = 128

const PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: {},
  deliveryMode: 2,
  priority: 0,
} as const satisfies Options.Publish

function encode(eventType: string, payload: unknown): Buffer {
  const message = {
    message_id: randomUUID(),
    publisher_id: 'bench',
    event_type: eventType,
    priority: 'INFO',
    payload,
    timestamp: new Date().toISOString().replace('T', ' ').replace('Z', '000'),
    _unique_id: randomUUID().replaceAll('-', ''),
  }
  return Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }))
}

function decode(content: Buffer): Record<string, unknown> {
  const envelope = JSON.parse(content.toString()) as Record<string, string>
  return JSON.parse(envelope['oslo.message'] ?? '') as Record<string, unknown>
}

async function open(url: string, queue: string) {
  const connection = await connect(url, { noDelay: true })
  const channel = await connection.createConfirmChannel()
  await channel.assertExchange(EXCHANGE, 'topic', { durable: false })
  await channel.assertQueue(queue, { durable: false })
  await channel.bindQueue(queue, EXCHANGE, queue)
  return { connection, channel }
}

function publish(channel: ConfirmChannel, queue: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(EXCHANGE, queue, body, PROPERTIES, (error) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)))
      else resolve()
    })
  })
}

export interface HandWrittenNotifier {
  info(eventType: string, payload: unknown): Promise<void>
  /** Empties a queue between turns, so that no contestant pays for what another has left. */
  purge(queue: string): Promise<void>
  close(): Promise<void>
}

/** `queue`: topic and priority, `bench.info`. */
export async function createHandWrittenNotifier(url: string, queue: string): Promise<HandWrittenNotifier> {
  const { connection, channel } = await open(url, queue)
  return {
    info: (eventType, payload) => publish(channel, queue, encode(eventType, payload)),
    async purge(other) {
      await channel.purgeQueue(other)
    },
    close: () => connection.close(),
  }
}

/** Handles each notification and then acknowledges it, one by one. */
export async function createHandWrittenListener(
  url: string,
  queue: string,
  onNotification: (message: Record<string, unknown>) => void,
): Promise<{ close(): Promise<void> }> {
  const { connection, channel } = await open(url, queue)
  await channel.prefetch(PREFETCH)
  await channel.consume(queue, (delivery) => {
    if (delivery === null) return
    onNotification(decode(delivery.content))
    channel.ack(delivery)
  })
  return { close: () => connection.close() }
}
