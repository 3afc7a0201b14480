import { channel } from 'node:diagnostics_channel'
import { onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { ConfigOverrides } from '../../src/config/source.ts'
import type { Logger } from '../../src/diagnostics/logger.ts'
import type { DiagnosticEvents } from '../../src/diagnostics/channels.ts'
import { type DriverCapabilities, NO_CAPABILITIES } from '../../src/driver/capabilities.ts'
import type {
  DriverDefinition,
  NotificationSource,
  NotifyListenOptions,
  NotifyOptions,
} from '../../src/driver/driver.ts'
import { ManagedDriver } from '../../src/driver/host/managed-driver.ts'
import type { IncomingNotification, OutgoingNotification } from '../../src/driver/messages.ts'
import type { Target } from '../../src/target.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'
import { NotificationTransport } from '../../src/transport/notification-transport.ts'
import { Transport, type TransportKind } from '../../src/transport/transport.ts'
import { TransportURL } from '../../src/url/transport-url.ts'
import { createDeferred } from '../../src/util/deferred.ts'
import { RemoteErrorTable } from '../../src/wire/remote-error-table.ts'

export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

export interface SentNotification {
  readonly target: Target
  readonly notification: OutgoingNotification
  readonly options: NotifyOptions
}

/** What became of a delivered notification. */
export type Settlement = 'acknowledged' | 'requeued'

export interface Delivery {
  readonly incoming: IncomingNotification
  /** Resolves when the listener settles it. */
  readonly settled: Promise<Settlement>
  readonly settlements: readonly Settlement[]
}

/** A transport over a driver that only writes down: what is sent, who listens, how deliveries are settled. */
export interface FakeBus {
  readonly transport: Transport
  readonly clock: ManualClock
  readonly lines: LogLine[]
  readonly sent: SentNotification[]
  readonly subscriptions: { readonly sources: readonly NotificationSource[]; readonly options: NotifyListenOptions }[]
  /** Hands a message to the newest subscription. */
  deliver(message: unknown, facts?: Partial<IncomingNotification>): Delivery
  /** Makes sending fail: throw, or return a promise. */
  onSend: (sent: SentNotification) => Promise<void> | void
}

export const FULL: Partial<DriverCapabilities> = { notifications: true, requeue: true, pools: true }

export async function createFakeBus(
  options: {
    readonly notifications?: ConfigOverrides['oslo_messaging_notifications']
    readonly capabilities?: Partial<DriverCapabilities>
    readonly kind?: TransportKind
  } = {},
): Promise<FakeBus> {
  const clock = createManualClock({ wallTime: Date.UTC(2026, 10, 22, 17, 30, 1, 5) })
  const lines: LogLine[] = []
  const log =
    (level: keyof Logger): Logger['info'] =>
    (message, fields) =>
      lines.push({ level, message, fields })
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const sent: SentNotification[] = []
  const subscriptions: FakeBus['subscriptions'] = []
  const definition: DriverDefinition = {
    name: 'fakebus',
    schemes: ['fakebus'],
    capabilities: { ...NO_CAPABILITIES, ...(options.capabilities ?? FULL) },
    open: () => ({
      send: () => Promise.reject(new Error('no RPC here')),
      listen: () => Promise.reject(new Error('no RPC here')),
      async sendNotification(target, notification, options) {
        const one = { target, notification, options }
        sent.push(one)
        await bus.onSend(one)
      },
      listenForNotifications(sources, options) {
        subscriptions.push({ sources, options })
        const closed = createDeferred<void>()
        return Promise.resolve({
          closed: closed.promise,
          stop: () => Promise.resolve(),
          close: () => Promise.resolve(closed.resolve()),
        })
      },
      health: () => ({ status: 'ok', components: [] }),
      close: () => Promise.resolve(),
    }),
  }
  const url = TransportURL.parse('fakebus://host/')
  const random = (): number => 0.5
  const context = { options: {}, defaultExchange: 'openstack', program: 'test', logger, clock, random }
  const found = { definition, url, context }
  const driver = await ManagedDriver.open(definition, url, context)
  const parts = {
    conf: await loadConfig({
      overrides: {
        DEFAULT: { executor_thread_pool_size: 4 },
        oslo_messaging_notifications: options.notifications ?? {},
      },
    }),
    url,
    found,
    find: () => Promise.resolve(found),
    driver,
    failureDefaults: {},
    remoteErrors: new RemoteErrorTable(),
    logger,
    clock,
  }
  const bus: FakeBus = {
    transport: options.kind === 'rpc' ? new Transport('rpc', parts) : new NotificationTransport(parts),
    clock,
    lines,
    sent,
    subscriptions,
    deliver: (message, facts) => deliver(subscriptions, message, facts),
    onSend: () => {},
  }
  return bus
}

function deliver(
  subscriptions: FakeBus['subscriptions'],
  message: unknown,
  facts: Partial<IncomingNotification> = {},
): Delivery {
  const subscription = subscriptions.at(-1)
  if (subscription === undefined) throw new Error('nobody listens')
  const settlements: Settlement[] = []
  const settled = createDeferred<Settlement>()
  const settle = (settlement: Settlement) => (): void => {
    settlements.push(settlement)
    settled.resolve(settlement)
  }
  const incoming: IncomingNotification = {
    context: {},
    message: message as IncomingNotification['message'],
    acknowledge: settle('acknowledged'),
    requeue: settle('requeued'),
    ...facts,
  }
  subscription.options.onMessage(incoming)
  return { incoming, settled: settled.promise, settlements }
}

/** A notification as it arrives. */
export function arriving(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    message_id: '5d761f43-c9ce-448c-aa28-1a353d07a624',
    publisher_id: 'compute.host1',
    event_type: 'compute.instance.create.end',
    priority: 'INFO',
    payload: { state: 'active' },
    timestamp: '2026-01-01 10:00:00.000001',
    ...changes,
  }
}

/** What a diagnostics channel says until the test ends. */
export function watchChannel<Name extends keyof DiagnosticEvents>(name: Name): DiagnosticEvents[Name][] {
  const seen: DiagnosticEvents[Name][] = []
  const listen = (event: unknown): void => void seen.push(event as DiagnosticEvents[Name])
  channel(name).subscribe(listen)
  onTestFinished(() => {
    channel(name).unsubscribe(listen)
  })
  return seen
}
