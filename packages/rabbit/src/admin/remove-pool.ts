import { type Deadline, TransportDriverError } from '@oslo-messaging/core/driver'
import type { ClientConnection } from '../client/client.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'

const NOT_FOUND = 404
const ASKING = { phase: 'declare', delivery: 'unknown', waitingFor: 'removal of the pool' } as const

/** Deletes the queue of a pool unless somebody reads it. False: there is no such queue. */
export async function removePool(connection: ClientConnection, pool: string, deadline: Deadline): Promise<boolean> {
  const channel = await deadline.race(connection.openChannel(), ASKING)
  try {
    const { consumerCount } = await deadline.race(channel.checkQueue(pool), ASKING)
    if (consumerCount > 0)
      throw new TransportDriverError(`The pool ${pool} is being read by ${consumerCount}: stop its listeners first`, {
        retryable: false,
      })
    await deadline.race(channel.deleteQueue(pool), ASKING)
    return true
  } catch (error) {
    if (brokerCodeOf(error) === NOT_FOUND) return false
    throw mapError(error, ASKING)
  } finally {
    void channel.close()
  }
}
