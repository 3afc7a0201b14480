import { type MessagingOptions, ValueError } from '@oslo-messaging/core'
import { messagingPlugin } from '@oslo-messaging/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { type Stock, StockEndpoint } from './stock.ts'

interface Order {
  readonly item: string
  readonly count: number
}

const ORDER = {
  type: 'object',
  required: ['item', 'count'],
  properties: { item: { type: 'string' }, count: { type: 'integer', minimum: 1 } },
}

/** The whole service: orders over HTTP, the stock over RPC, and what happened as notifications. */
export async function createApp(messaging: MessagingOptions, options: { logger: boolean }): Promise<FastifyInstance> {
  const app = Fastify({ logger: options.logger, forceCloseConnections: 'idle' })
  await app.register(messagingPlugin, { messaging, errorHandler: true })
  app.messaging.server<Stock>({ topic: 'stock', server: 'stock-1' }, new StockEndpoint())
  const stock = app.messaging.client<Stock>({ topic: 'stock' })
  const audit = app.messaging.client({ topic: 'audit' })
  const notifier = app.messaging.notifier({ publisherId: 'shop.orders' })

  app.post<{ Body: Order }>('/orders', { schema: { body: ORDER } }, async ({ body, id }, reply) => {
    const context = { request_id: `req-${id}` }
    const order = await stock.call(context, 'reserve', body, { timeoutMs: 5_000 }).catch(asConflict)
    await notifier.info(context, 'order.created', order)
    return await reply.status(201).send(order)
  })
  // Nobody serves this topic: what a caller over HTTP sees of that is the plugin's answer.
  app.get('/audit', async () => await audit.call(null, 'last', {}, { timeoutMs: 200 }))
  app.get('/health', async (_request, reply) => {
    const { ready, status } = app.messaging.health()
    return await reply.status(ready ? 200 : 503).send({ ready, status })
  })
  return app
}

/** What the method refuses is the application's to translate; errors of messaging are the plugin's. */
function asConflict(error: unknown): never {
  throw error instanceof ValueError ? Object.assign(error, { statusCode: 409 }) : error
}
