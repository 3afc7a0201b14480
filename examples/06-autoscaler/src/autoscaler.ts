import { type MessageServer, type Messaging, NotificationFilter } from '@oslo-messaging/core'
import { openstackTarget, PayloadMismatch, RequestContext, RequestContextSerializer } from '@oslo-messaging/openstack'
import { Load } from './load.ts'
import { type CpuSample, cpuSamples } from './samples.ts'

/** The pool of this program: it gets a copy of each notification, and leaves ceilometer's own agent its own. */
export const POOL = 'autoscaler'

/** How heat names a stack. */
export interface StackIdentity {
  readonly tenant: string
  readonly stack_name: string
  readonly stack_id: string
  readonly path: string
}

/** What is called of heat's engine. */
export interface Engine {
  identify_stack(args: { stack_name: string }): StackIdentity
  resource_signal(args: {
    stack_identity: StackIdentity
    resource_name: string
    details: Readonly<Record<string, unknown>>
    sync_call: boolean
  }): null
}

export interface AutoscalerOptions {
  /** Above it, 0 to 1, more servers are wanted. */
  readonly high: number
  /** Below it, fewer. */
  readonly low: number
  /** How long after a change nothing is asked for. */
  readonly cooldownMs: number
  readonly backoffMs?: number
  /** Told what was done, a line each. */
  readonly log: (line: string) => void
}

/** A listener that reads ceilometer's samples and signals the scaling policies `scale_up` and `scale_down` of a stack.
 *  What heat does not take is tried again; a sample that cannot be read is kept as a dead letter. */
export function createAutoscaler(messaging: Messaging, options: AutoscalerOptions): MessageServer {
  const { high, low, cooldownMs, backoffMs = 1000, log } = options
  const load = new Load(5 * 60_000)
  const changedAt = new Map<string, number>()
  // What the engine answers is to be known within 10 s; heat works on for minutes.
  const settings = { serializer: new RequestContextSerializer(), timeoutMs: 10_000 }
  const engine = messaging.client<Engine>({ ...openstackTarget('heat', 'engine'), version: '1.3' }, settings)

  const decide = async ({ stack, project, atMs }: CpuSample): Promise<void> => {
    const part = load.of(stack)
    if (part === undefined || (part <= high && part >= low)) return
    const percent = Math.round(part * 100)
    if (atMs - (changedAt.get(stack) ?? -Infinity) < cooldownMs) return log(`${percent} %: changed lately`)
    const policy = part > high ? 'scale_up' : 'scale_down'
    const context = new RequestContext({ projectId: project, isAdmin: true })
    const identity = await engine.call(context, 'identify_stack', { stack_name: stack })
    // A signal whose fate is not known is sent again: the policy has a cooldown of its own, so that two are as one.
    await engine.call(context, 'resource_signal', {
      stack_identity: identity,
      resource_name: policy,
      details: { current: 'alarm', reason: `${percent} % of the processors are used` },
      sync_call: false,
    })
    changedAt.set(stack, atMs)
    log(`${percent} %: ${policy} of ${identity.stack_name}`)
  }

  return messaging.listener(
    [{ exchange: 'ceilometer', topic: 'notifications' }],
    [
      {
        filterRule: new NotificationFilter({ eventType: /^telemetry\.polling$/ }),
        async sample(_context, _publisher, _event, payload) {
          const samples = cpuSamples(payload)
          for (const each of samples) load.add(each)
          const stacks = new Map(samples.map((each) => [each.stack, each]))
          for (const each of stacks.values()) await decide(each)
        },
      },
    ],
    {
      pool: POOL,
      // One after the other: a decision needs what the samples before have said.
      workers: 1,
      onFailure: {
        attempts: 4,
        backoff: { initialMs: backoffMs },
        retryIf: (error) => !(error instanceof PayloadMismatch),
        then: 'dead-letter',
      },
    },
  )
}
