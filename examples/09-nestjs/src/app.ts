import 'reflect-metadata'
import { type INestMicroservice, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { AsyncMicroserviceOptions } from '@nestjs/microservices'
import type { MessagingOptions } from '@oslo-messaging/core'
import { OsloMessagingModule, OsloServer } from '@oslo-messaging/nestjs'
import { StockController } from './stock.ts'

/** The whole service: methods and notifications of one controller, on both buses. */
export async function createApp(messaging: MessagingOptions, options: { logger: boolean }): Promise<INestMicroservice> {
  const buses = OsloMessagingModule.forRoot({
    messaging,
    server: { topic: 'stock', notifications: { topic: 'shop_events' }, listener: { pool: 'stock-service' } },
    clients: { stock: { topic: 'stock', version: '1.1' } },
    notifiers: { default: { publisherId: 'stock.one' } },
  })

  @Module({ imports: [buses], controllers: [StockController] })
  // oxlint-disable-next-line typescript/no-extraneous-class -- Nest knows a module by its class
  class AppModule {}

  return await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
    useFactory: (strategy: OsloServer) => ({ strategy }),
    inject: [OsloServer],
    ...(options.logger ? {} : { logger: false }),
  })
}
