import { MessagingTimeout, ServerLost } from '../errors.ts'
import type { Deadline, WaitFacts } from '../util/deadline.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import type { RPCReply } from './messages.ts'

/** How long one call waits. */
export interface ReplyWaitOptions {
  readonly deadline: Deadline
  /** Reject with ServerLost when nothing is heard for so long; null: not monitored. */
  readonly callMonitorTimeoutMs: number | null
  /** How far the request has come, asked when time runs out: a call may still be connecting or waiting for its confirm
   *  by then.
   *  Default: the broker has it, and the reply is waited for. */
  readonly progress?: () => WaitFacts
}

const REPLY_FACTS: WaitFacts = { phase: 'reply', delivery: 'confirmed' }

const ignore = (): void => {}

/** One call that waits. */
class Waiter {
  readonly reply: Promise<RPCReply>
  readonly progress: (() => WaitFacts) | undefined
  lastHeardAt = 0
  /** Calls its timers off. */
  disarm: () => void = ignore
  readonly #forget: () => void
  #resolve!: (reply: RPCReply) => void
  #reject!: (error: unknown) => void

  constructor(progress: (() => WaitFacts) | undefined, forget: () => void) {
    this.progress = progress
    this.#forget = forget
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  resolve(reply: RPCReply): void {
    this.end()
    this.#resolve(reply)
  }

  reject(reason: unknown): void {
    this.end()
    // It may end while the request is still being published and nobody looks at it yet. Only here, because most calls
    // succeed and each handler is a promise.
    this.reply.catch(ignore)
    this.#reject(reason)
  }

  end(): void {
    this.#forget()
    this.disarm()
  }
}

/** Calls that wait for their reply, by correlation id. Shared by drivers so that deadlines, heartbeats and late replies
 *  mean the same everywhere. */
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

  /** Whether somebody waits for that id. */
  has(id: string): boolean {
    return this.#waiters.has(id)
  }

  /** Waits for the reply to `id`. The promise exists before the request is published, so a fast reply is never missed;
   *  a rejection before it is awaited does not count as unhandled.
   *  Rejects with MessagingTimeout (phase and delivery from `progress`), ServerLost, the deadline signal's reason, or
   *  what `fail` says. */
  wait(id: string, options: ReplyWaitOptions): Promise<RPCReply> {
    const waiter = this.#register(id, options)
    this.#arm(id, waiter, options)
    return waiter.reply
  }

  /** A whole call: waits for the reply while `send` hands the request over. `send` keeps to the deadline itself, so its
   *  failure says best how far the request came, and ends the call; once it has resolved, deadline and monitor count as
   *  for `wait`. A reply that overtakes the confirm settles the call. */
  call(id: string, options: ReplyWaitOptions, send: () => Promise<void>): Promise<RPCReply> {
    const waiter = this.#register(id, options)
    send().then(
      () => {
        if (this.#waiters.get(id) === waiter) this.#arm(id, waiter, options)
      },
      (error: unknown) => waiter.reject(error),
    )
    return waiter.reply
  }

  #register(id: string, { progress }: ReplyWaitOptions): Waiter {
    const waiter = new Waiter(progress, () => this.#waiters.delete(id))
    this.#waiters.set(id, waiter)
    return waiter
  }

  #arm(id: string, waiter: Waiter, { deadline, callMonitorTimeoutMs, progress }: ReplyWaitOptions): void {
    const cancelDeadline = deadline.watch(REPLY_FACTS, (error) => {
      const isLate = progress !== undefined && error instanceof MessagingTimeout
      waiter.reject(isLate ? deadline.timeoutError(progress()) : error)
    })
    waiter.disarm = cancelDeadline
    if (callMonitorTimeoutMs === null || !this.#waiters.has(id)) return
    let monitor: unknown
    waiter.disarm = () => {
      cancelDeadline()
      if (monitor !== undefined) this.#clock.clearTimeout(monitor)
    }
    waiter.lastHeardAt = this.#clock.now()
    const check = (): void => {
      const silentMs = this.#clock.now() - waiter.lastHeardAt
      if (silentMs >= callMonitorTimeoutMs) waiter.reject(serverLost(callMonitorTimeoutMs, progress?.()))
      else monitor = this.#clock.setTimeout(check, Math.ceil(callMonitorTimeoutMs - silentMs))
    }
    check()
  }

  /** Settles the call. False when nobody waits for that id: the reply is late or foreign, and the driver reports it. */
  settle(id: string, reply: RPCReply): boolean {
    const waiter = this.#waiters.get(id)
    waiter?.resolve(reply)
    return waiter !== undefined
  }

  /** A sign of life for the call: its monitor clock starts again, its deadline does not move. False when nobody
   *  waits. */
  heartbeat(id: string): boolean {
    const waiter = this.#waiters.get(id)
    if (waiter !== undefined) waiter.lastHeardAt = this.#clock.now()
    return waiter !== undefined
  }

  /** Ends one call with an error. False when it has ended already. */
  fail(id: string, error: unknown): boolean {
    const waiter = this.#waiters.get(id)
    waiter?.reject(error)
    return waiter !== undefined
  }

  /** Ends every call; `error` is made for each, so that no two callers share one. It is told how far the request has
   *  come, if the call was given `progress`. */
  failAll(error: (id: string, progress: WaitFacts | undefined) => unknown): void {
    for (const [id, waiter] of this.#waiters) waiter.reject(error(id, waiter.progress?.()))
  }

  /** Forgets a call without settling it: its request was never sent, and whoever sent it reports that. */
  forget(id: string): void {
    this.#waiters.get(id)?.end()
  }
}

function serverLost(monitorTimeoutMs: number, { delivery, waitingFor }: WaitFacts = REPLY_FACTS): ServerLost {
  const text = waitingFor === undefined ? 'Nothing heard from the server' : `No ${waitingFor}`
  return new ServerLost(`${text} for ${monitorTimeoutMs} ms`, { monitorTimeoutMs, delivery })
}
