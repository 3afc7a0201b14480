import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ComponentHealth, Health, HealthStatus } from '../driver/health.ts'
import { ClosedError, TaskTimeout } from '../errors.ts'
import { onAbort } from '../util/abort.ts'
import { checkOptions, checkSignal, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'

/** Both buses in one answer. */
export interface MessagingHealth {
  /** The worse of the two. */
  readonly status: HealthStatus
  /** Whether work should be sent here: it was started, is not being drained, and everything wanted is up. */
  readonly ready: boolean
  /** Why it is not ready. */
  readonly reason?: string
  /** Wall time since when it is so, milliseconds since 1970; absent when nothing was ever opened. */
  readonly sinceMs?: number
  readonly rpc?: Health
  readonly notifications?: Health
}

/** How long `ready` waits. */
export interface ReadyOptions {
  /** Milliseconds; null: as long as it takes. Default 60 000. */
  readonly timeoutMs?: number | null | undefined
  readonly signal?: AbortSignal | undefined
}

interface Facts {
  readonly rpc: Health | undefined
  readonly notifications: Health | undefined
  readonly hasStarted: boolean
  readonly isDraining: boolean
}

const READY_OPTIONS: OptionNames<ReadyOptions> = { timeoutMs: true, signal: true }
const DEFAULT_TIMEOUT_MS = 60_000
/** Not everything that changes health tells a channel of it. */
const LOOK_AGAIN_MS = 250
const WORST: readonly HealthStatus[] = ['failed', 'blocked', 'degraded', 'draining', 'closed', 'ok', 'idle']
const UP: readonly string[] = ['connected', 'consuming', 'closed']

export function summarize({ rpc, notifications, hasStarted, isDraining }: Facts): MessagingHealth {
  const buses = [rpc, notifications].filter((each) => each !== undefined)
  const components = buses.flatMap((health) => health.components)
  const down = components.filter(({ state }) => !UP.includes(state))
  const status = WORST.find((each) => buses.some((health) => health.status === each)) ?? 'idle'
  const reason = isDraining
    ? 'it is being drained'
    : hasStarted
      ? down.map(describe).join('; ') || undefined
      : 'it was not started'
  // What is down is so since its first part was; what is up, since its last part came up.
  const times = (down.length > 0 ? down : components).map(({ sinceMs }) => sinceMs)
  const sinceMs = times.length === 0 ? undefined : down.length > 0 ? Math.min(...times) : Math.max(...times)
  return {
    status: isDraining && status !== 'closed' ? 'draining' : status,
    ready: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(rpc === undefined ? {} : { rpc }),
    ...(notifications === undefined ? {} : { notifications }),
  }
}

function describe({ kind, name, state, host, reason }: ComponentHealth): string {
  return `${name.includes(kind) ? '' : `${kind} `}${name}${host === undefined ? '' : ` at ${host}`} is ${state}${reason === undefined ? '' : `: ${reason}`}`
}

/** Resolves when `health` says that it is ready. */
export async function untilReady(health: () => MessagingHealth, clock: Clock, options: ReadyOptions): Promise<void> {
  checkOptions('ready', options, READY_OPTIONS)
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options
  checkTimeout('timeoutMs', timeoutMs)
  checkSignal(signal)
  signal?.throwIfAborted()
  if (health().ready) return
  const timers: unknown[] = []
  let release: (() => void) | undefined
  let look: () => void = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      look = () => {
        const { ready, status, reason } = health()
        if (ready) resolve()
        else if (status === 'draining' || status === 'closed')
          reject(new ClosedError(`It will not be ready: ${reason}`))
      }
      const again = (): void => {
        look()
        timers[0] = clock.setTimeout(again, LOOK_AGAIN_MS)
      }
      again()
      if (timeoutMs !== null)
        timers[1] = clock.setTimeout(
          () => reject(new TaskTimeout(`It was not ready within ${timeoutMs} ms: ${health().reason}`)),
          timeoutMs,
        )
      release = signal && onAbort(signal, () => reject(signal.reason))
      subscribe('oslo-messaging:state', look)
    })
  } finally {
    unsubscribe('oslo-messaging:state', look)
    release?.()
    for (const timer of timers) if (timer !== undefined) clock.clearTimeout(timer)
  }
}
