import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 100

/** Asks again and again until there is an answer other than undefined and false; a question that throws is asked again.
 *  Rejects after `timeoutMs` with `what`, and the last error as its cause. */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  timeoutMs: number,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) {
      const why = last instanceof Error ? `: ${last.message}` : ''
      throw new Error(`not within ${Math.round(timeoutMs / 1000)} s: ${what}${why}`, { cause: last })
    }
    await sleep(EVERY_MS)
  }
}
