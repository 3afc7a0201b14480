import { setTimeout as sleep } from 'node:timers/promises'

/** The shape of a load. */
export interface LoadShape {
  /** Messages a second. */
  readonly rate: number
  /** Most that are under way at once; more wait. */
  readonly concurrency: number
  readonly durationMs: number
  readonly signal: AbortSignal
}

const TICK_MS = 5

/** Begins messages at the rate, whatever becomes of them, until the time is over. Resolves when the last has ended. */
export async function generate(shape: LoadShape, send: () => Promise<void>): Promise<void> {
  const { rate, concurrency, durationMs, signal } = shape
  const underway = new Set<Promise<void>>()
  const begun = performance.now()
  let sent = 0
  while (!signal.aborted) {
    const elapsed = performance.now() - begun
    if (elapsed >= durationMs) break
    const due = Math.floor((elapsed / 1000) * rate)
    while (sent < due && underway.size < concurrency) {
      sent += 1
      const one: Promise<void> = send().finally(() => underway.delete(one))
      underway.add(one)
    }
    // What could not be begun in time is not made up for: a queue of our own would hide it.
    if (sent < due && underway.size >= concurrency) sent = due
    await sleep(TICK_MS)
  }
  await Promise.all(underway)
}

/** A text of so many bytes, compressible as real payloads are. */
export function cargo(bytes: number): string {
  return WORDS.repeat(Math.ceil(bytes / WORDS.length)).slice(0, bytes)
}

const WORDS = 'instance flavor image volume network "state": active, {"id": 7} \n'
