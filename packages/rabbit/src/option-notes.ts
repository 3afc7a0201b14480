import { ConfigurationError, type Logger } from '@oslo-messaging/core/driver'
import { rabbitConfig, type RabbitOptions } from './config.ts'
import type { Runtime } from './connection/runtime.ts'

/** Options that are read for the sake of existing configuration files and change nothing here, with the reason. */
const WITHOUT_EFFECT: Partial<Record<keyof RabbitOptions, string>> = {
  rpc_conn_pool_size: 'one connection carries everything that is sent, so there is no pool',
  conn_pool_min_size: 'one connection carries everything that is sent, so there is no pool',
  conn_pool_ttl: 'one connection carries everything that is sent, so there is no pool',
  ssl_enforce_fips_mode: 'FIPS mode belongs to the OpenSSL Node was built with; start Node with --enable-fips',
  heartbeat_in_pthread: 'there are no green threads here',
}

/** Says once, when a driver is opened, what an operator would otherwise find out late. Throws ConfigurationError for what cannot be done at all. */
export function noteOptions(options: RabbitOptions, logger: Logger): void {
  const note = (text: string): void => logger.warn(`[${rabbitConfig.group}] ${text}`)
  for (const [name, reason] of Object.entries(WITHOUT_EFFECT))
    if (isChanged(name as keyof RabbitOptions, options)) note(`${name} has no effect: ${reason}`)
  if (options.rabbit_login_method === 'RABBIT-CR-DEMO')
    throw new ConfigurationError(
      'rabbit_login_method = RABBIT-CR-DEMO is a demonstration of the broker that no client needs: use AMQPLAIN, PLAIN or EXTERNAL',
      {
        option: `[${rabbitConfig.group}] rabbit_login_method`,
      },
    )
  if (options.rabbit_ha_queues)
    note(
      'rabbit_ha_queues only adds an argument that RabbitMQ ignores since 3.0; mirroring is a policy of the broker, quorum queues are rabbit_quorum_queue',
    )
  if (options.ssl && options.ssl_ca_file === '') note("the broker's certificate is not verified: set ssl_ca_file")
  if (options.ssl && options.ssl_ca_file !== '' && !options.ssl_enforce_hostname_verification)
    note("the broker's certificate may belong to any host: set ssl_enforce_hostname_verification = true")
  if (options.heartbeat_timeout_threshold === 0)
    note('without heartbeats (heartbeat_timeout_threshold = 0) a broker that falls silent is not noticed')
}

function isChanged(name: keyof RabbitOptions, options: RabbitOptions): boolean {
  return options[name] !== rabbitConfig.options[name].default
}

/** Says when a server starts that its methods may outlast what the broker allows a consumer to hold back (P20): with `ack: 'after'` that is every method under way. */
export function noteConsumerTimeout({ settings, logger }: Pick<Runtime, 'settings' | 'logger'>): void {
  const { ack, consumerTimeoutMs, longestMethodMs } = settings
  if (ack === 'before' || consumerTimeoutMs === null) return
  if (longestMethodMs !== null && longestMethodMs < consumerTimeoutMs) return
  const limit = `consumer_timeout of the broker (${consumerTimeoutMs / 1000} s by consumerTimeoutMs)`
  logger.warn(
    longestMethodMs === null
      ? `ack: 'after' - a method that runs longer than the ${limit} costs its server the channel, and its request is delivered again; set longestMethodMs to have this checked`
      : `ack: 'after' - methods run up to ${longestMethodMs / 1000} s (longestMethodMs), longer than the ${limit}: the channel is closed under them and their requests are delivered again. Raise it on the broker, or keep ack: 'before' and let clients monitor their calls`,
  )
}
