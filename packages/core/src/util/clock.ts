/** Opaque handle of a pending timer. */
export type TimerHandle = unknown

/** Time as the library sees it, so that tests can move it by hand.
 *  `now` is monotonic milliseconds with an arbitrary origin; `wallTime` is milliseconds since 1970. */
export interface Clock {
  now(): number
  wallTime(): number
  setTimeout(callback: () => void, delayMs: number): TimerHandle
  clearTimeout(handle: TimerHandle): void
}

/** Node turns a longer delay into 1 ms and warns; a deadline further away is re-armed instead. */
const LONGEST_DELAY_MS = 0x7fffffff

/** The machine's clock. Timers keep the process alive, as Node's own do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS)),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}
