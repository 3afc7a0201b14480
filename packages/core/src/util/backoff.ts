/** How long to wait between attempts. All times in milliseconds. */
export interface BackoffOptions {
  /** Upper bound of the first wait. */
  readonly initialMs: number
  /** Added to the bound after each failure. Default 0. */
  readonly stepMs?: number | undefined
  /** The bound is multiplied by this after each failure, before `stepMs` is added. Default 1. */
  readonly factor?: number | undefined
  /** No wait is longer than this. */
  readonly maxMs: number
  /** `full` draws each wait evenly from 0 to its bound, so that a thousand clients do not return at once; `none` waits
   *  the bound itself. Default `full`. */
  readonly jitter?: 'full' | 'none' | undefined
  /** Source of randomness, 0 (included) to 1 (excluded). Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** A sequence of waits. `next` gives the wait before the next attempt; `reset` starts again after a success. */
export interface Backoff {
  next(): number
  reset(): void
}

/** A sequence of waits within bounds that grow from `initialMs` to `maxMs`. */
export function createBackoff(options: BackoffOptions): Backoff {
  const { initialMs, stepMs = 0, factor = 1, maxMs, jitter = 'full', random = Math.random } = options
  let bound = initialMs
  return {
    next() {
      const limit = Math.min(bound, maxMs)
      bound = Math.min(bound * factor + stepMs, maxMs)
      return jitter === 'full' ? random() * limit : limit
    },
    reset() {
      bound = initialMs
    },
  }
}
