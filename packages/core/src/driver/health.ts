/** States of whatever is kept alive. `failed` is final until somebody changes something; `recovering` mends itself;
 *  `paused` is a server that takes nothing because too many of its messages failed, and tries one after a while. */
export type ComponentState =
  | 'starting'
  | 'consuming'
  | 'connected'
  | 'blocked'
  | 'paused'
  | 'recovering'
  | 'failed'
  | 'closed'

/** What waits in one place that a listener reads on its own: a partition, or a queue. What the driver was told last, so
 *  that asking costs nothing: an estimate. */
export interface Backlog {
  /** Names it for an operator: `notifications.info/3`, the name of a queue. Never a credential. */
  readonly source: string
  /** Messages there that are not done: not handed out yet, or not settled where they are settled after their handlers.
   *  Absent: the driver was not told yet. */
  readonly waiting?: number
  /** Where positions are counted: the first one that is not done. */
  readonly position?: number
  /** Where positions are counted: the one that the next message will have. */
  readonly end?: number
}

/** One thing that can be up or down on its own. */
export interface ComponentHealth {
  readonly kind: 'connection' | 'listener' | 'publisher' | 'reply-path'
  /** Names it for an operator: `listener compute.node1`, `rpc publisher`. Never a credential. */
  readonly name: string
  readonly state: ComponentState
  /** Wall time at which it entered the state, milliseconds since 1970. */
  readonly sinceMs: number
  /** Why it is in the state, when there is a reason. */
  readonly reason?: string
  /** `host:port`, where it has one. */
  readonly host?: string
  /** Of a listener whose driver knows. */
  readonly backlog?: readonly Backlog[]
}

/** `idle`: nothing opened yet. `ok`: everything wanted is up. `degraded`: something is being mended. `blocked`: the
 *  broker takes no messages for now. `failed`: something is down for good. `draining`, `closed`: as the words say. */
export type HealthStatus = 'idle' | 'ok' | 'degraded' | 'blocked' | 'failed' | 'draining' | 'closed'

/** What `health()` answers: computed from the states themselves, without asking the broker, so it costs nothing and
 *  never waits. */
export interface Health {
  readonly status: HealthStatus
  readonly components: readonly ComponentHealth[]
}

const RANK: Record<ComponentState, HealthStatus> = {
  starting: 'degraded',
  recovering: 'degraded',
  blocked: 'blocked',
  paused: 'degraded',
  failed: 'failed',
  consuming: 'ok',
  connected: 'ok',
  closed: 'ok',
}
const WORST: readonly HealthStatus[] = ['failed', 'blocked', 'degraded', 'ok']

/** The status that follows from the components: the worst of them, `idle` when there are none. Components that were
 *  closed on purpose do not count. */
export function summarizeHealth(components: readonly ComponentHealth[]): Health {
  const counted = components.filter((component) => component.state !== 'closed')
  const statuses = new Set(counted.map((component) => RANK[component.state]))
  return { status: WORST.find((status) => statuses.has(status)) ?? 'idle', components }
}
