import { MessageDeliveryFailure } from '../errors.ts'
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
    await connection.whenOpen(deadline)
    const fault = faults?.onPublish(kind)
    if (fault?.delayMs !== undefined) {
      await deadline.sleep(fault.delayMs, { phase: 'publish', delivery: 'not-sent' })
      await connection.whenOpen(deadline)
    }
    if (fault?.refuse === undefined) return
    if (retries !== null && attempt > retries) {
      throw new MessageDeliveryFailure(`The broker refused the message ${attempt} times`, {
        cause: fault.refuse,
        attempts: attempt,
        elapsedMs: clock.now() - startedAt,
        phase: 'publish',
        delivery: 'not-sent',
      })
    }
    await deadline.sleep(backoff.next(), { phase: 'publish', delivery: 'not-sent' })
  }
}
