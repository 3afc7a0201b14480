import type { Clock } from '@oslo-messaging/core/driver'

/** How long a farewell may take: a broker that does not answer is left without one. */
const FAREWELL_MS = 2000

/** Waits for work whose outcome changes nothing any more: until it settles either way, or the time is over. Never
 *  rejects. */
export async function waitAtMost(clock: Clock, work: Promise<unknown>, ms: number = FAREWELL_MS): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.setTimeout(resolve, ms)
    const end = (): void => {
      clock.clearTimeout(timer)
      resolve()
    }
    work.then(end, end)
  })
}
