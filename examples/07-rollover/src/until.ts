import { setTimeout as after } from 'node:timers/promises'

/** Resolves when it holds; rejects after `timeoutMs`. */
export async function until(holds: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs)
  while (!(await holds())) await after(5, undefined, { signal: limit })
}
