import { MessageDeliveryFailure, TransportDriverError } from '../errors.ts'
import { createBackoff } from '../util/backoff.ts'
import type { Clock } from '../util/clock.ts'
import type { Deadline } from '../util/deadline.ts'
import type { MemoryConnection } from './memory-connection.ts'
import type { MemoryFaultPlan, MessageKind } from './memory-hooks.ts'

export interface ObstacleOptions {
  readonly kind: MessageKind
  readonly deadline: Deadline
  /** Attempts after the first: 0 none, null no limit but the deadline. */
  readonly retries: number | null
  readonly connection: MemoryConnection
  readonly faults: MemoryFaultPlan | undefined
  readonly clock: Clock
  readonly random: () => number
}

/** Waits until one message may be handed to the broker: the connection is up, and the script of faults lets it pass.
 *  Nothing was sent when it rejects.
 *  Throws: MessagingTimeout or the signal's reason at the deadline, MessageDeliveryFailure when retries are spent,
 *  ClosedError. */
export async function passObstacles(options: ObstacleOptions): Promise<void> {
  const { kind, deadline, retries, connection, faults, clock, random } = options
  const startedAt = clock.now()
  const backoff = createBackoff({ initialMs: 20, factor: 2, maxMs: 1000, random })
  for (let attempt = 1; ; attempt += 1) {
    // Whoever counts attempts makes them: the others wait until the way is open.
    if (retries === null || !connection.isDown) await connection.whenOpen(deadline)
    if (connection.isDown) {
      giveUpAfter(attempt, retries, new TransportDriverError('The connection is cut'), clock.now() - startedAt)
      await deadline.sleep(backoff.next(), { phase: 'connect', delivery: 'not-sent' })
      continue
    }
    const fault = faults?.onPublish(kind)
    if (fault?.delayMs !== undefined) {
      await deadline.sleep(fault.delayMs, { phase: 'publish', delivery: 'not-sent' })
      await connection.whenOpen(deadline)
    }
    if (fault?.refuse === undefined) return
    giveUpAfter(attempt, retries, fault.refuse, clock.now() - startedAt)
    await deadline.sleep(backoff.next(), { phase: 'publish', delivery: 'not-sent' })
  }
}

/** Throws when that was the last attempt. */
function giveUpAfter(attempts: number, retries: number | null, cause: Error, elapsedMs: number): void {
  if (retries === null || attempts <= retries) return
  throw new MessageDeliveryFailure(`The broker did not take the message in ${attempts} attempts: ${cause.message}`, {
    cause,
    attempts,
    elapsedMs,
    phase: 'publish',
    delivery: 'not-sent',
  })
}
