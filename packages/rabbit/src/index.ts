import { DRIVER_API, type DriverDefinition, NO_CAPABILITIES } from '@oslo-messaging/core/driver'
import { rabbitConfig, type RabbitOptions } from './config.ts'
import { completeSettings, type RabbitSettings } from './settings.ts'

export { rabbitConfig, type RabbitOptions } from './config.ts'
export type { DuplicateStore, RabbitSettings } from './settings.ts'

/** A driver for RabbitMQ with settings that oslo has no options for. Throws TypeError when one is unknown or cannot be
 *  used. */
export function createRabbitDriver(settings: Partial<RabbitSettings> = {}): DriverDefinition<RabbitOptions> {
  const complete = completeSettings(settings)
  return {
    name: 'rabbit',
    api: DRIVER_API,
    schemes: ['rabbit', 'kombu'],
    config: rabbitConfig,
    capabilities: {
      ...NO_CAPABILITIES,
      rpc: true,
      rpcFanout: true,
      rpcCallMonitoring: true,
      rpcAtLeastOnce: true,
      rpcExpiry: true,
      rpcLateAcknowledgement: true,
      notifications: true,
      requeue: true,
      deadLetters: true,
      pools: true,
      storesBeforeListeners: true,
      // A queue is named by its topic alone, as Python's: bound to two exchanges it gets the messages of both.
      exchanges: 'none',
      virtualHosts: true,
      persistence: true,
      notificationAcknowledgement: 'after-handler',
      ordering: 'queue',
    },
    async open(url, context) {
      // Only now, so that importing the package does not wait for the client library.
      const [{ RabbitDriver }, { amqplibClient }] = await Promise.all([
        import('./driver.ts'),
        import('./client/client.ts'),
      ])
      return new RabbitDriver(url, context, amqplibClient, complete)
    },
    async administer(url, context) {
      const [{ RabbitAdmin }, { amqplibClient }] = await Promise.all([
        import('./admin/admin.ts'),
        import('./client/client.ts'),
      ])
      return new RabbitAdmin(url, context, amqplibClient, complete)
    },
    async planMigration(from, to) {
      const { planMigration } = await import('./admin/migration.ts')
      return planMigration(from, to)
    },
    async planTopology(side, uses) {
      const { planTopology } = await import('./admin/topology-plan.ts')
      return planTopology(side, uses)
    },
  }
}

/** RabbitMQ over AMQP 0-9-1: `rabbit://` and `kombu://`. */
export const rabbitDriver: DriverDefinition<RabbitOptions> = createRabbitDriver()

export default rabbitDriver
