import 'reflect-metadata'
import { Logger } from '@nestjs/common'
import { ClientRMQ, type RmqContext, ServerRMQ } from '@nestjs/microservices'
import type { Channel, ConsumeMessage } from 'amqplib'
import { firstValueFrom } from 'rxjs'

// NestJS's RMQ transport with what makes it comparable: noDelay, persistent messages, a transient queue, and the
// acknowledgement it offers to a server. Its replies come through RabbitMQ's direct reply-to, without acknowledgements;
// there is no other way.

Logger.overrideLogger(['error'])
const socketOptions = { connectionOptions: { noDelay: true } }
const queueOptions = { durable: false }

export interface NestClient {
  call(pattern: string, args: object): Promise<unknown>
  /** An event: resolves when the broker has confirmed it. */
  emit(pattern: string, args: object): Promise<void>
  close(): Promise<void>
}

export async function createNestClient(url: string, queue: string): Promise<NestClient> {
  const client = new ClientRMQ({ urls: [url], queue, queueOptions, persistent: true, socketOptions })
  await client.connect()
  return {
    call: (pattern, args) => firstValueFrom(client.send<unknown>(pattern, args)),
    emit: (pattern, args) => firstValueFrom(client.emit<void>(pattern, args), { defaultValue: undefined }),
    close: async () => await client.close(),
  }
}

export async function createNestServer(
  url: string,
  queue: string,
  methods: Readonly<Record<string, (args: unknown) => Promise<unknown>>>,
): Promise<{ close(): Promise<void> }> {
  const server = new ServerRMQ({ urls: [url], queue, queueOptions, noAck: false, prefetchCount: 128, socketOptions })
  for (const [pattern, method] of Object.entries(methods))
    server.addHandler(pattern, async (args: unknown, context: RmqContext) => {
      // Before it is handled, as the other contestants do.
      const channel = context.getChannelRef() as Channel
      channel.ack(context.getMessage() as ConsumeMessage)
      return await method(args)
    })
  await new Promise<void>((resolve, reject) => {
    void server.listen((error?: unknown) => {
      if (error === undefined || error === null) resolve()
      else reject(error instanceof Error ? error : new Error('The server cannot listen', { cause: error }))
    })
  })
  return { close: async () => await server.close() }
}
