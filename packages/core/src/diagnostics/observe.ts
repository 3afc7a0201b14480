/** How an operation ended. */
export interface Ending {
  readonly durationMs: number
  readonly error?: unknown
}

/** Measures an operation from now on. The function tells `end` how it went, with the error it failed with. */
export function observe(clock: { now(): number }, end: (ending: Ending) => void): (error?: unknown) => void {
  const startedAt = clock.now()
  return (error) => end({ durationMs: clock.now() - startedAt, ...(error === undefined ? {} : { error }) })
}
