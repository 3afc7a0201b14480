import { onAbort } from '../util/abort.ts'
import { checkOptions, checkSignal, checkTimeout, type OptionNames } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'

/** How long `close` is ready to wait for what is under way. */
export interface CloseOptions {
  /** Most time to drain, milliseconds; then what is left is cut off. null: as long as it takes. Default 30 000. */
  readonly timeoutMs?: number | null | undefined
  /** Cuts off what is left when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** How long `flush` is ready to wait. */
export type FlushOptions = CloseOptions

const OPTIONS: OptionNames<CloseOptions> = { timeoutMs: true, signal: true }
export const DEFAULT_PATIENCE_MS = 30_000

/** Runs the work, and aborts `impatience` when this caller's patience ends before it. */
export async function withPatience<T>(
  step: string,
  options: CloseOptions,
  clock: Clock,
  impatience: AbortController,
  work: () => Promise<T>,
): Promise<T> {
  checkOptions(step, options, OPTIONS)
  const { timeoutMs = DEFAULT_PATIENCE_MS, signal } = options
  checkTimeout('timeoutMs', timeoutMs)
  checkSignal(signal)
  const hurry = (): void => impatience.abort()
  const timer = timeoutMs === null ? undefined : clock.setTimeout(hurry, timeoutMs)
  const release = signal && onAbort(signal, hurry)
  if (signal?.aborted) hurry()
  try {
    return await work()
  } finally {
    if (timer !== undefined) clock.clearTimeout(timer)
    release?.()
  }
}
