import {
  type Clock,
  type CredentialsProvider,
  Deadline,
  type IncomingNotification,
  type IncomingRequest,
  type Logger,
  type NotifyListenOptions,
  type SendOptions,
  silentLogger,
  systemClock,
  TransportHost,
  TransportURL,
} from '@oslo-messaging/core/driver'
import type { RabbitClient } from '../../src/client/client.ts'
import { rabbitConfig, type RabbitOptions } from '../../src/config.ts'
import { RabbitDriver } from '../../src/driver.ts'
import { DEFAULT_SETTINGS, type RabbitSettings } from '../../src/settings.ts'

/** Every option at its default, except the given ones. */
export function rabbitOptions(overrides: Partial<RabbitOptions> = {}): RabbitOptions {
  const defaults = Object.fromEntries(
    Object.entries(rabbitConfig.options).map(([name, { default: value }]) => [name, value]),
  )
  return { ...(defaults as RabbitOptions), ...overrides }
}

export interface OpenOptions {
  readonly options?: Partial<RabbitOptions>
  readonly settings?: Partial<RabbitSettings>
  readonly url?: TransportURL
  readonly logger?: Logger
  readonly clock?: Clock
  readonly credentials?: CredentialsProvider
}

/** A driver over whatever stands in for amqplib. Recovery is quick, so that tests are. */
export function openDriver(
  client: RabbitClient,
  { options, settings, url, logger, clock, credentials }: OpenOptions = {},
): RabbitDriver {
  return new RabbitDriver(
    url ?? new TransportURL({ transport: 'rabbit', hosts: [new TransportHost({ hostname: 'broker' })] }),
    {
      options: rabbitOptions({ kombu_reconnect_delay: 0.01, ...options }),
      defaultExchange: 'openstack',
      program: 'test',
      logger: logger ?? silentLogger,
      clock: clock ?? systemClock,
      random: Math.random,
      credentials,
    },
    client,
    { ...DEFAULT_SETTINGS, watchdogIntervalMs: 0, ...settings },
  )
}

/** Options of a call; 5 s unless said otherwise. */
export function callOptions(overrides: Partial<SendOptions> & { readonly timeoutMs?: number } = {}): SendOptions {
  const { timeoutMs = 5000, ...rest } = overrides
  return {
    waitForReply: true,
    deadline: Deadline.after(timeoutMs),
    expiresInMs: timeoutMs,
    callMonitorTimeoutMs: null,
    retries: null,
    atLeastOnce: false,
    ...rest,
  }
}

export function castOptions(overrides: Partial<SendOptions> & { readonly timeoutMs?: number } = {}): SendOptions {
  return { ...callOptions(overrides), waitForReply: false, expiresInMs: null }
}

export function listenOptions<M extends IncomingRequest | IncomingNotification>(
  onMessage: (message: M) => void,
  overrides: Partial<NotifyListenOptions> = {},
) {
  return { deadline: Deadline.after(5000), prefetch: 8, pool: null, allowRequeue: true, ...overrides, onMessage }
}

/** Answers each request with its first argument. */
export function echo(request: IncomingRequest): void {
  request.acknowledge()
  const args = request.message['args'] as Record<string, unknown>
  void request.reply({ result: Object.values(args)[0] ?? null, failure: null })
}
