import type { Logger } from '../diagnostics/logger.ts'
import { TaskTimeout } from '../errors.ts'
import { onAbort } from '../util/abort.ts'
import { checkSignal, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'

/** How long a caller is ready to wait for `start`, `stop` or `wait`. */
export interface StepOptions {
  /** Warn once when the step takes longer, milliseconds; 0 never. Default 30 000. */
  readonly logAfterMs?: number | undefined
  /** Reject with TaskTimeout after so long, milliseconds; null waits for ever. The step itself goes on. Default
   *  null. */
  readonly timeoutMs?: number | null | undefined
  /** Ends the waiting with the signal's reason. The step itself goes on. */
  readonly signal?: AbortSignal | undefined
}

/** How `start` goes about it; everything may be left out. */
export interface StartOptions {
  /** Bounds the subscribing, milliseconds; null waits for ever, as oslo does. Default 60 000, so that a wrong URL
   *  shows. */
  readonly timeoutMs?: number | null | undefined
  /** Ends the subscribing with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Workers for this cycle instead of the configured number. */
  readonly overridePoolSize?: number | undefined
  readonly logAfterMs?: number | undefined
}

export const STEP_OPTIONS: OptionNames<StepOptions> = { logAfterMs: true, timeoutMs: true, signal: true }
export const START_OPTIONS: OptionNames<StartOptions> = { ...STEP_OPTIONS, overridePoolSize: true }
export const DEFAULT_LOG_AFTER_MS = 30_000

/** Whose step it is. */
interface StepFacts {
  readonly name: string
  readonly logger: Logger
  readonly clock: Clock
}

/** Waits for a step as long as this caller wants to. */
export async function waitForStep(
  step: string,
  done: Promise<void>,
  options: StepOptions,
  { clock, logger, name }: StepFacts,
): Promise<void> {
  const { logAfterMs = DEFAULT_LOG_AFTER_MS, timeoutMs = null, signal } = options
  checkTimeout('logAfterMs', logAfterMs)
  checkTimeout('timeoutMs', timeoutMs)
  checkSignal(signal)
  signal?.throwIfAborted()
  const timers: unknown[] = []
  let release: (() => void) | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      if (logAfterMs > 0)
        timers.push(
          clock.setTimeout(() => logger.warn(`${step} of ${name} takes longer than ${logAfterMs} ms`), logAfterMs),
        )
      if (timeoutMs !== null)
        timers.push(
          clock.setTimeout(
            () => reject(new TaskTimeout(`${step} of ${name} did not finish within ${timeoutMs} ms`)),
            timeoutMs,
          ),
        )
      release = signal && onAbort(signal, () => reject(signal.reason))
      done.then(resolve, reject)
    })
  } finally {
    release?.()
    for (const timer of timers) clock.clearTimeout(timer)
  }
}
