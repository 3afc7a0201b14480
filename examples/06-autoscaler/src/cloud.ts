import type { Messaging, Notifier } from '@oslo-messaging/core'
import type { StackIdentity } from './autoscaler.ts'

const STACK: StackIdentity = { tenant: 'engines', stack_name: 'web', stack_id: 'id-of-web', path: '' }
const MINUTE_MS = 60_000

/** A cloud that is not there: servers of one stack, which heat and ceilometer of it know. */
export interface Cloud {
  readonly servers: number
  /** How many signals heat fails before it takes one. */
  failSignals(count: number): void
  readonly failures: number
  /** A minute later: each server has been so busy, 0 to 1. */
  pass(busy: number): Promise<void>
  /** A sample as no ceilometer sends it. */
  sendBroken(): Promise<void>
}

export function openCloud(messaging: Messaging): Cloud {
  let servers = 2
  let failing = 0
  let failures = 0
  let minute = 0
  const used: number[] = []
  messaging.server({ exchange: 'heat', topic: 'engine', server: 'engine-1' }, [
    {
      target: { version: '1.36' },
      // Heat takes the name of a stack, or its id.
      identify_stack: (): StackIdentity => STACK,
      resource_signal(_context: object, { resource_name: policy }: { resource_name: string }): null {
        if (failing > 0) {
          failing -= 1
          failures += 1
          throw new Error('The database is away')
        }
        servers += policy === 'scale_up' ? 1 : -1
        return null
      },
    },
  ])
  const notifier: Notifier = messaging.notifier({ publisherId: 'ceilometer.polling', driver: 'messagingv2' })
  return {
    get servers() {
      return servers
    },
    get failures() {
      return failures
    },
    failSignals: (count) => void (failing = count),
    async pass(busy) {
      minute += 1
      for (let index = 0; index < servers; index++) used[index] = (used[index] ?? 0) + busy * MINUTE_MS * 1e6
      const samples = used.slice(0, servers).map((volume, index) => cpu(`server-${index}`, volume, minute))
      await notifier.sample({}, 'telemetry.polling', { samples })
    },
    sendBroken: async () =>
      await notifier.sample({}, 'telemetry.polling', { samples: [{ ...cpu('x', 0, 0), counter_volume: 'much' }] }),
  }
}

/** A sample of the meter `cpu`, as ceilometer makes it. */
function cpu(server: string, volume: number, minute: number): object {
  return {
    source: 'openstack',
    counter_name: 'cpu',
    counter_type: 'cumulative',
    counter_unit: 'ns',
    counter_volume: volume,
    user_id: 'ada',
    project_id: STACK.tenant,
    resource_id: server,
    timestamp: new Date(Date.UTC(2026, 0, 1) + minute * MINUTE_MS).toISOString().slice(0, -1),
    resource_metadata: { vcpus: 1, user_metadata: { server_group: STACK.stack_id } },
    message_id: `${server}-${minute}`,
    monotonic_time: null,
  }
}
