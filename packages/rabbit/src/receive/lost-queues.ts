import { Supervisor } from '@oslo-messaging/core/driver'
import { classify } from '../connection/map-error.ts'
import { retryBackoff, sleepAtMost } from '../connection/recovery.ts'
import { reportState, type Runtime } from '../connection/runtime.ts'
import type { Subscription } from '../topology/topology.ts'

export interface LostQueuesOptions {
  readonly runtime: Runtime
  /** The listener's name. */
  readonly name: string
  /** Declares and consumes one queue again. */
  readonly resume: (subscription: Subscription) => Promise<void>
  /** The broker refuses it for good. */
  readonly onRefused: (error: unknown) => void
}

/** Queues of a listener that are out of order while the others go on. Each comes back by itself. */
export class LostQueues {
  readonly #options: LostQueuesOptions
  readonly #lost = new Map<string, Supervisor>()

  constructor(options: LostQueuesOptions) {
    this.#options = options
  }

  has(queue: string): boolean {
    return this.#lost.has(queue)
  }

  /** The state of the first of them, for health reports; undefined when all are well. */
  get first(): { readonly sinceMs: number; readonly reason: string } | undefined {
    for (const [queue, { sinceMs, reason }] of this.#lost)
      return { sinceMs, reason: `queue '${queue}'${reason === undefined ? '' : `: ${reason}`}; the others go on` }
    return undefined
  }

  /** The queue is out of order: from now on it is tried again and again. */
  add(subscription: Subscription, reason: unknown): void {
    const { runtime, name, resume, onRefused } = this.#options
    const queue = subscription.queue.name
    if (this.#lost.has(queue)) return
    const report = reportState(runtime, 'listener', `${name}, queue ${queue}`)
    const supervisor = new Supervisor({
      async establish(signal, attempt) {
        if (attempt === 0) await sleepAtMost(runtime, signal)
        signal.throwIfAborted()
        await resume(subscription)
      },
      classify,
      upState: 'consuming',
      clock: runtime.clock,
      backoff: retryBackoff(runtime),
      onChange: (change) => {
        if (change.state !== 'closed') report(change)
        if (change.state === 'consuming') this.#lost.delete(queue)
        if (change.state === 'failed') onRefused(change.error)
      },
    })
    this.#lost.set(queue, supervisor)
    supervisor.lost(reason)
  }

  /** The listener as a whole begins again, or is over. */
  clear(): void {
    for (const supervisor of this.#lost.values()) supervisor.close()
    this.#lost.clear()
  }
}
