import { DRIVER_API, type DriverDefinition, NO_CAPABILITIES } from '@oslo-messaging/core/driver'
import { natsConfig, type NatsOptions } from './config.ts'
import { checkUrl, readLogin } from './settings.ts'

export { natsConfig, type NatsOptions } from './config.ts'

/** `nats://user:password@host:4222/virtual-host`: RPC over core NATS, notifications over JetStream. */
export const natsDriver: DriverDefinition<NatsOptions> = {
  name: 'nats',
  api: DRIVER_API,
  schemes: ['nats'],
  config: natsConfig,
  capabilities: {
    ...NO_CAPABILITIES,
    rpc: true,
    rpcFanout: true,
    rpcCallMonitoring: true,
    rpcAtLeastOnce: true,
    rpcExpiry: true,
    notifications: true,
    requeue: true,
    deadLetters: true,
    pools: true,
    storesBeforeListeners: true,
    exchanges: 'both',
    virtualHosts: true,
    // Notifications; requests are in no broker's memory or disk.
    persistence: true,
    notificationAcknowledgement: 'after-handler',
    ordering: 'queue',
  },
  async open(url, context) {
    checkUrl(url, context.options)
    const files = await readLogin(context.options)
    // Only now, so that importing the package does not wait for the client library.
    const { NatsDriver } = await import('./driver.ts')
    return new NatsDriver(url, context, files)
  },
  async administer(url, context) {
    checkUrl(url, context.options)
    const files = await readLogin(context.options)
    const { NatsAdmin } = await import('./admin/admin.ts')
    return new NatsAdmin(url, context, files)
  },
}
export default natsDriver
