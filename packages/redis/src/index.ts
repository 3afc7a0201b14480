import { DRIVER_API, type DriverDefinition, NO_CAPABILITIES } from '@oslo-messaging/core/driver'
import { redisConfig, type RedisOptions } from './config.ts'
import { readSettings } from './settings.ts'

export { redisConfig, type RedisOptions } from './config.ts'

/** `redis://user:password@host:6379/database`: RPC and notifications over streams with consumer groups. */
export const redisDriver: DriverDefinition<RedisOptions> = {
  name: 'redis',
  api: DRIVER_API,
  schemes: ['redis'],
  config: redisConfig,
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
    exchanges: 'both',
    virtualHosts: true,
    // Whether anything outlives a restart is the server's configuration (appendonly), which nobody here can promise.
    persistence: false,
    notificationAcknowledgement: 'after-handler',
    ordering: 'queue',
  },
  async open(url, context) {
    const settings = await readSettings(url, context.options)
    // Only now, so that importing the package does not wait for the client library.
    const { RedisDriver } = await import('./driver.ts')
    return new RedisDriver(url, context, settings)
  },
  async administer(url, context) {
    const settings = await readSettings(url, context.options)
    const { RedisAdmin } = await import('./admin/admin.ts')
    return new RedisAdmin(url, context, settings)
  },
}
export default redisDriver
