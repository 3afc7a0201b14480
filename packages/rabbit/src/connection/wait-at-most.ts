import type { Clock } from '@oslo-messaging/core/driver'

/** How long a farewell may take: a broker that does not answer is left without one. */
const PATIENCE_MS = 2000

/** Waits for work whose outcome changes nothing any more: until it settles either way, or patience ends. Never rejects. */
export async function patiently(clock: Clock, work: Promise<unknown>, patienceMs: number = PATIENCE_MS): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.setTimeout(resolve, patienceMs)
    const end = (): void => {
      clock.clearTimeout(timer)
      resolve()
    }
    work.then(end, end)
  })
}
