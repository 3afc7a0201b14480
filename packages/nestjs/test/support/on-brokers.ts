import 'reflect-metadata'
import { randomUUID } from 'node:crypto'
import { Test } from '@nestjs/testing'
import { type SharedKafka, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry, Messaging, type Notifier, type RPCClient } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { notifierToken, OsloMessagingModule, OsloServer, rpcClientToken } from '../../src/index.ts'
import { AdminController, Events, type Stock, StockController } from './shop.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka: SharedKafka | undefined = await skipOrFail(sharedBroker('kafka'))

const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver], discover: false })

/** The application of the unit tests on RabbitMQ, its notifications over RabbitMQ and over Kafka. */
export function describeOnBrokers(version: string): void {
  describe.skipIf(rabbit === undefined || kafka === undefined)(`Nest ${version} on brokers`, () => {
    it.each([
      ['rabbit', () => rabbit?.url ?? ''],
      ['kafka', () => kafka?.url ?? ''],
    ])('calls over RabbitMQ, notifications over %s, and a shutdown that drains', async (_name, notifyUrl) => {
      Events.heard = []
      Events.failures = 0
      StockController.ended.length = 0
      const name = `nest-${randomUUID().slice(0, 8)}`
      const target = { topic: `${name}-events` }
      const compiled = await Test.createTestingModule({
        imports: [
          OsloMessagingModule.forRoot({
            messaging: { url: rabbit?.url ?? '', notifyUrl: notifyUrl(), registry },
            server: { topic: name, notifications: target, listener: { pool: `${name}-pool` } },
            clients: { stock: { topic: name } },
            notifiers: { default: { driver: 'messagingv2', topics: [target.topic] } },
          }),
        ],
        controllers: [StockController, AdminController, Events],
      }).compile()
      const service = compiled.createNestMicroservice({ strategy: compiled.get(OsloServer), logger: false })
      await service.listen()
      await compiled.get(Messaging).ready()

      const stock: RPCClient<Stock> = compiled.get(rpcClientToken('stock'))
      expect(await stock.call({ user: 'ada' }, 'reserve', { item: 'bolt', count: 3 })).toEqual({ left: 7, who: 'ada' })
      await expect(stock.call(null, 'fail', { as: 'code' })).rejects.toMatchObject({ code: 'ENOSPC' })
      const left = await stock.call(null, 'remaining', {}, { timeoutMs: 5000 })
      expect(left).toBeLessThanOrEqual(5000)

      const heard = new Promise<void>((resolve) => (Events.onHeard = resolve))
      const notifier: Notifier = compiled.get(notifierToken())
      await notifier.info({ user_id: 'ada' }, 'order.created', { id: 1 })
      await heard
      expect(Events.heard).toEqual([{ event: 'order.created', payload: { id: 1 }, user: 'ada', priority: 'info' }])

      const begun = new Promise<void>((resolve) => (StockController.begun = resolve))
      const call = stock.call(null, 'slow', { ms: 500 })
      await begun
      await service.close()
      expect(await call).toBe('done')
      expect(StockController.ended).toEqual(['call', 'onModuleDestroy'])
    })
  })
}
