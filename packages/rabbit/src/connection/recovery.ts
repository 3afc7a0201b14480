import { type Backoff, createBackoff, TransportDriverError, type WaitFacts } from '@oslo-messaging/core/driver'
import { mapError } from './map-error.ts'
import type { Runtime } from './runtime.ts'

/** Waits a random part of `kombu_reconnect_delay` and `kombu_reconnect_splay`: what oslo waits after an error before it
 *  connects or subscribes again. */
export async function sleepAtMost({ options, clock, random }: Runtime, signal: AbortSignal): Promise<void> {
  const delayMs = (random() * options.kombu_reconnect_delay + random() * options.kombu_reconnect_splay) * 1000
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.setTimeout(done, delayMs)
    signal.addEventListener('abort', done, { once: true })
  })
  signal.throwIfAborted()
}

/** Why a connection ended; when this process was held up for `blockedMs`, that is why. */
export function describeLoss(reason: unknown, host: string, blockedMs: number): unknown {
  const error = mapError(reason, { host })
  if (blockedMs === 0) return error
  const cause = Object.assign(new Error(`The event loop was blocked for ${blockedMs} ms`, { cause: error }), {
    name: 'EventLoopBlocked',
    code: 'event-loop-blocked',
    blockedMs,
  })
  return new TransportDriverError(
    `Connection lost because the event loop was blocked for ${blockedMs} ms: heartbeats could neither be sent nor read`,
    { host, retryable: true, cause },
  )
}

/** The waits between attempts that the options ask for. */
export function retryBackoff({ options, random }: Pick<Runtime, 'options' | 'random'>): Backoff {
  return createBackoff({
    initialMs: options.rabbit_retry_interval * 1000,
    stepMs: options.rabbit_retry_backoff * 1000,
    maxMs: options.rabbit_interval_max * 1000,
    random,
  })
}

/** Milliseconds between attempts of what was up once and is refused now: somebody may mend it. */
export function slowRetryMs({ options }: Pick<Runtime, 'options'>): number {
  return Math.max(1, options.rabbit_interval_max) * 1000
}

/** What a message waits for while the broker takes none. */
export function blockedFacts(reason: string): WaitFacts {
  return {
    phase: 'publish',
    delivery: 'not-sent',
    waitingFor: `room at the broker (it is blocked: ${reason})`,
  }
}
