import { importSecondKafkaClient } from '@oslo-messaging/brokers'
import {
  type Clock,
  type CredentialsProvider,
  Deadline,
  type Driver,
  type IncomingNotification,
  type Listener,
  type Logger,
  type NotifyListenOptions,
  type NotifyOptions,
  type OutgoingNotification,
  systemClock,
  Target,
  TransportURL,
} from '@oslo-messaging/core/driver'
import type { KafkaClient } from '../../src/port/client-port.ts'
import { type KafkaOptions, kafkaConfig } from '../../src/config.ts'
import { createKafkaDriver, type KafkaDriverOptions } from '../../src/index.ts'
import { KafkaDriver } from '../../src/driver.ts'
import { readSettings } from '../../src/settings.ts'
import { CLIENT } from './client.ts'

export type Options = Partial<{ -readonly [K in keyof KafkaOptions]: KafkaOptions[K] }>

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** Remembers what is logged. */
export function recordingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push({ level, message, fields })
  }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface OpenOptions {
  readonly url?: string
  readonly options?: Options
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: () => number
  readonly credentials?: CredentialsProvider
}

function contextOf({ options, logger, clock, random, credentials }: OpenOptions) {
  const defaults = Object.fromEntries(
    Object.entries(kafkaConfig.options).map(([name, option]) => [name, option.default]),
  )
  return {
    options: { ...defaults, ...options } as KafkaOptions,
    defaultExchange: 'openstack',
    program: 'test',
    logger: logger ?? recordingLogger(),
    clock: clock ?? systemClock,
    random: random ?? Math.random,
    credentials,
  }
}

/** The driver over a client of the test's own. */
export function openOver(client: KafkaClient, options: OpenOptions = {}): KafkaDriver {
  const context = contextOf(options)
  const settings = readSettings(TransportURL.parse(options.url ?? 'kafka://broker/'), context, undefined)
  return new KafkaDriver(settings, client, context)
}

/** The driver as applications get it, over the client library of this run. */
export async function openReal(url: string, options: OpenOptions & KafkaDriverOptions = {}): Promise<Driver> {
  const { oauthBearerToken, importCodec, client = CLIENT } = options
  const definition = createKafkaDriver({
    client,
    importClient: importSecondKafkaClient,
    ...(oauthBearerToken === undefined ? {} : { oauthBearerToken }),
    ...(importCodec === undefined ? {} : { importCodec }),
  })
  return await definition.open(TransportURL.parse(url), contextOf(options))
}

export function notification(payload: unknown, priority = 'INFO'): OutgoingNotification {
  return {
    context: { request_id: 'req-1' },
    message: {
      message_id: '6b7f8a9e-0000-4000-8000-000000000000',
      publisher_id: 'compute.host1',
      event_type: 'demo.event',
      priority,
      payload,
      timestamp: '2026-11-22 13:44:20.090457',
    },
  }
}

export interface SendOptions {
  readonly timeoutMs?: number
  readonly retries?: number | null
  readonly signal?: AbortSignal
}

export function notifyOptions({ timeoutMs = 10_000, retries = null, signal }: SendOptions = {}): NotifyOptions {
  return { version: '2.0', deadline: Deadline.after(timeoutMs, { signal }), retries }
}

export async function send(driver: Driver, topic: string, payload: unknown, options?: SendOptions): Promise<void> {
  await driver.sendNotification(new Target({ topic }), notification(payload), notifyOptions(options))
}

export interface Received {
  readonly listener: Listener
  readonly messages: IncomingNotification[]
  readonly payloads: unknown[]
  /** Resolves when so many have come; rejects after `timeoutMs`. */
  until(count: number, timeoutMs?: number): Promise<void>
}

export interface ListenSettings extends Partial<Omit<NotifyListenOptions, 'deadline' | 'onMessage'>> {
  readonly topics?: readonly string[]
  readonly priorities?: readonly string[]
  readonly timeoutMs?: number
  /** Default: acknowledges at once. */
  readonly onMessage?: (message: IncomingNotification) => void
}

export async function listen(driver: Driver, topic: string, settings: ListenSettings = {}): Promise<Received> {
  const messages: IncomingNotification[] = []
  let wake = (): void => {}
  const sources = (settings.topics ?? [topic]).flatMap((name) =>
    (settings.priorities ?? ['info']).map((priority) => ({ target: new Target({ topic: name }), priority })),
  )
  const handle = settings.onMessage ?? ((message: IncomingNotification) => message.acknowledge())
  const listener = await driver.listenForNotifications(sources, {
    deadline: Deadline.after(settings.timeoutMs ?? 20_000),
    prefetch: settings.prefetch ?? 128,
    pool: settings.pool ?? null,
    allowRequeue: false,
    ...(settings.startFrom === undefined ? {} : { startFrom: settings.startFrom }),
    onMessage: (message) => {
      messages.push(message)
      wake()
      handle(message)
    },
  })
  return {
    listener,
    messages,
    get payloads() {
      return messages.map(({ message }) => message['payload'])
    },
    until: async (count, timeoutMs = 15_000) => {
      const deadline = Date.now() + timeoutMs
      while (messages.length < count) {
        const leftMs = deadline - Date.now()
        if (leftMs <= 0) throw new Error(`${messages.length} of ${count} notifications came within ${timeoutMs} ms`)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, leftMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    },
  }
}

/** Waits until `check` holds; the condition is looked at whenever the event loop is idle. */
export async function eventually(check: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
