import {
  DRIVER_API,
  type Driver,
  type DriverContext,
  type DriverDefinition,
  NO_CAPABILITIES,
  TransportHost,
  type TransportURL,
} from '@oslo-messaging/core/driver'
import { AmqpDriver } from './driver.ts'
import { type AmqpOptions, amqpConfig } from './config.ts'
import { saslOptions, tlsOptions } from './connection/peer-options.ts'
import { type AmqpSettings, settingsOf } from './settings.ts'

/** Everything but how it is opened. */
const DEFINITION: Omit<DriverDefinition<AmqpOptions>, 'open'> = {
  name: 'amqp',
  api: DRIVER_API,
  schemes: ['amqp'],
  capabilities: {
    ...NO_CAPABILITIES,
    rpc: true,
    rpcFanout: true,
    rpcCallMonitoring: true,
    rpcExpiry: true,
    notifications: true,
    requeue: true,
    deadLetters: true,
    // Where the peer has them; others refuse when the listener attaches.
    pools: true,
    storesBeforeListeners: true,
    exchanges: 'rpc',
    virtualHosts: true,
    notificationAcknowledgement: 'after-handler',
    ordering: 'queue',
  },
  config: amqpConfig,
  async administer(url, context) {
    checkOptions(url, context)
    const { AmqpAdmin } = await import('./admin/admin.ts')
    return new AmqpAdmin(url, context)
  },
}

/** A driver for AMQP 1.0 with settings that oslo has no options for. Throws TypeError when one is unknown or cannot be
 *  used. */
export function createAmqpDriver(settings: Partial<AmqpSettings> = {}): DriverDefinition<AmqpOptions> {
  const complete = settingsOf(settings)
  return { ...DEFINITION, open: (url, context) => open(url, context, complete) }
}

/** AMQP 1.0 for brokers and message routers: Artemis, Qpid, dispatch routers, RabbitMQ. Scheme `amqp`. Register it, or
 *  let it be found by its package name. */
export const amqpDriver: DriverDefinition<AmqpOptions> = createAmqpDriver()

/** What is wrong with the options shows here; it needs no broker. */
function checkOptions(url: TransportURL, { options, credentials }: DriverContext<AmqpOptions>): void {
  const hosts = url.hosts.length === 0 ? [new TransportHost()] : url.hosts
  for (const { hostname, username, password } of hosts) {
    tlsOptions(options, hostname ?? 'localhost', url.virtualHost)
    // What the application gives is known when a connection is made.
    if (credentials === undefined) saslOptions(options, { username: username ?? '', password: password ?? '' })
  }
}

function open(url: TransportURL, context: DriverContext<AmqpOptions>, settings: AmqpSettings): Driver {
  checkOptions(url, context)
  return new AmqpDriver(url, context, settings)
}
