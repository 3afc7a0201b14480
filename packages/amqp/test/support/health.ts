import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createDeferred, Deadline, type Driver, type Health } from '@oslo-messaging/core/driver'

/** The health of the driver when it first was degraded after `act`; rejects after 5 s. Looks whenever a state changes:
 *  recovery may be over before a poll would see it. */
export async function degradedBy(driver: Driver, act: () => void): Promise<Health> {
  const seen = createDeferred<Health>()
  const look = (): void => {
    const health = driver.health()
    if (health.status === 'degraded') seen.resolve(health)
  }
  subscribe('oslo-messaging:state', look)
  try {
    act()
    return await Deadline.after(5_000).race(seen.promise, { phase: 'connect', delivery: 'not-sent' })
  } finally {
    unsubscribe('oslo-messaging:state', look)
  }
}
