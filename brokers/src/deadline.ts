import { setTimeout as sleep } from 'node:timers/promises'

/** Tries `attempt` every `everyMs` until it gives something other than undefined.
 *  Rejects with `late()` after `timeoutMs`, and at once with whatever `attempt` throws. */
export async function poll<T>(
  attempt: () => Promise<T | undefined> | T | undefined,
  options: { readonly timeoutMs: number; readonly everyMs?: number; readonly late: () => Error },
): Promise<T> {
  const end = performance.now() + options.timeoutMs
  for (;;) {
    const value = await attempt()
    if (value !== undefined) return value
    if (performance.now() >= end) throw options.late()
    await sleep(options.everyMs ?? 50)
  }
}
