import { MessagingTimeout, ServerLost } from '../errors.ts'
import type { Deadline, WaitFacts } from '../util/deadline.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import type { RPCReply } from './messages.ts'

export interface ReplyWaitOptions {
  readonly deadline: Deadline
  /** Reject with ServerLost when nothing is heard for so long; null: not monitored. */
  readonly callMonitorTimeoutMs: number | null
  /** How far the request has come, asked when time runs out: a call may still be connecting or waiting for its confirm by then.
   *  Default: the broker has it, and the reply is waited for. */
  readonly progress?: () => WaitFacts
}

const REPLY_FACTS: WaitFacts = { phase: 'reply', delivery: 'confirmed' }

interface Waiter {
  readonly resolve: (reply: RPCReply) => void
  readonly reject: (error: unknown) => void
  readonly heard: () => void
  readonly end: () => void
}

/** Calls that wait for their reply, by correlation id. Shared by drivers so that deadlines, heartbeats and late replies mean the same everywhere. */
export class ReplyWaiters {
  readonly #waiters = new Map<string, Waiter>()
  readonly #clock: Clock

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Calls waiting now. */
  get size(): number {
    return this.#waiters.size
  }

  /** Waits for the reply to `id`. The promise exists before the request is published, so a fast reply is never missed.
   *  Rejects with MessagingTimeout (phase and delivery from `progress`), ServerLost, the deadline signal's reason, or what `fail` says. */
  wait(id: string, options: ReplyWaitOptions): Promise<RPCReply> {
    return new Promise<RPCReply>((resolve, reject) => {
      const { deadline, callMonitorTimeoutMs, progress } = options
      let lastHeardAt = this.#clock.now()
      let monitor: unknown
      const end = (): void => {
        this.#waiters.delete(id)
        cancelDeadline()
        if (monitor !== undefined) this.#clock.clearTimeout(monitor)
      }
      let cancelDeadline = (): void => {}
      const waiter: Waiter = {
        resolve: (reply) => {
          end()
          resolve(reply)
        },
        reject: (error) => {
          end()
          reject(error)
        },
        heard: () => {
          lastHeardAt = this.#clock.now()
        },
        end,
      }
      this.#waiters.set(id, waiter)
      cancelDeadline = deadline.watch(REPLY_FACTS, (error) => {
        const isLate = progress !== undefined && error instanceof MessagingTimeout
        waiter.reject(isLate ? deadline.timeoutError(progress()) : error)
      })
      if (callMonitorTimeoutMs === null || !this.#waiters.has(id)) return
      const check = (): void => {
        const silentMs = this.#clock.now() - lastHeardAt
        if (silentMs >= callMonitorTimeoutMs) {
          waiter.reject(
            new ServerLost(`Nothing heard from the server for ${callMonitorTimeoutMs} ms`, {
              monitorTimeoutMs: callMonitorTimeoutMs,
            }),
          )
        } else monitor = this.#clock.setTimeout(check, Math.ceil(callMonitorTimeoutMs - silentMs))
      }
      check()
    })
  }

  /** Settles the call. False when nobody waits for that id: the reply is late or foreign, and the driver reports it. */
  settle(id: string, reply: RPCReply): boolean {
    const waiter = this.#waiters.get(id)
    waiter?.resolve(reply)
    return waiter !== undefined
  }

  /** A sign of life for the call: its monitor clock starts again, its deadline does not move. False when nobody waits. */
  heartbeat(id: string): boolean {
    const waiter = this.#waiters.get(id)
    waiter?.heard()
    return waiter !== undefined
  }

  /** Ends one call with an error. False when it has ended already. */
  fail(id: string, error: unknown): boolean {
    const waiter = this.#waiters.get(id)
    waiter?.reject(error)
    return waiter !== undefined
  }

  /** Ends every call; `error` is made for each, so that no two callers share one. */
  failAll(error: (id: string) => unknown): void {
    for (const [id, waiter] of this.#waiters) waiter.reject(error(id))
  }

  /** Forgets a call without settling it: its request was never sent, and whoever sent it reports that. */
  forget(id: string): void {
    this.#waiters.get(id)?.end()
  }
}
