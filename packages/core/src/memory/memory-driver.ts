import type { OptionsOf } from '../config/option.ts'
import type { DriverCapabilities } from '../driver/capabilities.ts'
import type { DriverContext, DriverDefinition } from '../driver/driver.ts'
import type { TransportURL } from '../url/transport-url.ts'
import type { MemoryBroker } from './memory-broker.ts'
import type { MemoryFaultPlan, MemoryRecorder } from './memory-hooks.ts'

/** What the in-process driver can do: everything but surviving its process. */
export const MEMORY_CAPABILITIES: DriverCapabilities = Object.freeze<DriverCapabilities>({
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
  startPositions: false,
  storesBeforeListeners: true,
  exchanges: 'both',
  virtualHosts: true,
  persistence: false,
  notificationAcknowledgement: 'after-handler',
  ordering: 'queue',
})

/** Options of the in-process driver; in a URL: `memory://?queue_max_length=1000`. */
export const MEMORY_CONFIG = {
  group: 'oslo_messaging_memory',
  options: {
    queue_max_length: {
      type: 'integer',
      default: 100_000,
      min: 1,
      unit: 'messages',
      doc: 'Messages one queue of the in-process broker holds before they are delivered. Whoever sends more waits for room, at most until its deadline. The transport that makes a queue decides for it.',
    },
  },
} as const

/** Its options as `open` gets them. */
export type MemoryOptions = OptionsOf<typeof MEMORY_CONFIG>

/** What tests put into an in-process driver. */
export interface MemoryDriverParts {
  /** A broker of one's own; absent: the one of the URL. */
  readonly broker?: MemoryBroker | undefined
  readonly recorder?: MemoryRecorder | undefined
  readonly faults?: MemoryFaultPlan | undefined
}

/** A definition of the in-process driver over the given parts. */
export function defineMemoryDriver(parts: MemoryDriverParts = {}): DriverDefinition<MemoryOptions> {
  return {
    name: 'memory',
    schemes: ['memory', 'fake'],
    capabilities: MEMORY_CAPABILITIES,
    config: MEMORY_CONFIG,
    async open(url: TransportURL, context: DriverContext<MemoryOptions>) {
      // Only now, so that a program which talks to a real broker does not wait for this one.
      const [{ MemoryBus }, broker] = await Promise.all([import('./memory-bus.ts'), brokerFor(url, parts)])
      return new MemoryBus({
        broker,
        context,
        queueMaxLength: context.options.queue_max_length,
        recorder: parts.recorder,
        faults: parts.faults,
      })
    },
    async administer(url: TransportURL) {
      const [{ MemoryAdmin }, broker] = await Promise.all([import('./memory-admin.ts'), brokerFor(url, parts)])
      return new MemoryAdmin(broker)
    },
  }
}

async function brokerFor(url: TransportURL, parts: MemoryDriverParts): Promise<MemoryBroker> {
  if (parts.broker !== undefined) return parts.broker
  const { brokerOf } = await import('./memory-broker.ts')
  return brokerOf(url)
}

/** RPC and notifications inside one process (schemes `memory` and `fake`). Transports whose URLs name the same host and
 *  virtual host meet: `memory://` is one broker, `memory://name/vhost` another. Messages travel as JSON text, so what a
 *  real broker could not carry fails here too. */
export const memoryDriver: DriverDefinition<MemoryOptions> = defineMemoryDriver()
