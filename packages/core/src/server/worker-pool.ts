import { AsyncResource } from 'node:async_hooks'
import { emitDiagnostic } from '../diagnostics/channels.ts'
import { kindOf } from '../util/check.ts'
import { createDeferred } from '../util/deferred.ts'
import { Fifo } from '../util/fifo.ts'

/** One piece of work. Settles its message itself and does not reject; a rejection is reported and forgotten. */
export type Task = () => Promise<void> | void

interface Job {
  readonly task: Task
  readonly orderingKey: string | undefined
  readonly handBack: (() => void) | undefined
}

/** Runs tasks, at most `size` at a time, first come, first served. Tasks of one ordering key run one after the other
 *  and occupy one worker together.
 *  It has no timers and no limit on what waits: the driver's prefetch is that limit. */
export class WorkerPool {
  /** Most tasks that run at the same time. */
  readonly size: number
  readonly #queue = new Fifo<Job>()
  /** Keys with a task queued or running, and the tasks behind it; null: none. */
  readonly #lanes = new Map<string, Fifo<Job> | null>()
  #running = 0
  #laneWaiting = 0
  #pumping = false
  /** Tasks that may start although the pool is held; null: it is not held. */
  #admitted: number | null = null
  #idleWaiters: (() => void)[] = []
  readonly #onDone = (): void => this.#finish()
  readonly #onFailed = (error: unknown): void => {
    this.#report(error)
    this.#finish()
  }

  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1)
      throw new TypeError(
        `A worker pool needs a whole number of workers, at least 1, not ${typeof size === 'number' ? size : kindOf(size)}`,
      )
    this.size = size
  }

  /** Tasks running now. */
  get running(): number {
    return this.#running
  }

  /** Tasks that wait for a worker or for their turn in a lane. */
  get waiting(): number {
    return this.#queue.length + this.#laneWaiting
  }

  /** Runs the task as soon as a worker is free: now, if one is. `orderingKey`: after earlier tasks of that key.
   *  `handBack` is called instead of the task when `handBackWaiting` finds it still waiting; without it the task runs
   *  even then. */
  run(task: Task, orderingKey?: string, handBack?: () => void): void {
    if (orderingKey === undefined) {
      if (this.#isFree() && this.#mayStart()) this.#start(task)
      else this.#queue.push({ task: inThisContext(task), orderingKey, handBack })
      return
    }
    const lane = this.#lanes.get(orderingKey)
    if (lane !== undefined) {
      const behind = lane ?? new Fifo<Job>()
      if (lane === null) this.#lanes.set(orderingKey, behind)
      behind.push({ task: inThisContext(task), orderingKey, handBack })
      this.#laneWaiting += 1
      return
    }
    this.#lanes.set(orderingKey, null)
    if (this.#isFree() && this.#mayStart()) this.#startKeyed(task, orderingKey)
    else this.#queue.push({ task: inThisContext(task), orderingKey, handBack })
  }

  /** Starts no further task until `release`; what runs goes on. */
  hold(): void {
    this.#admitted = 0
  }

  /** Lets one task start while the pool is held: the first that waits, or the next to come. */
  admitOne(): void {
    if (this.#admitted !== null) this.#admitted = 1
    this.#pump()
  }

  release(): void {
    this.#admitted = null
    this.#pump()
  }

  /** Gives up what no worker has taken, where the task said how. Gives the number of tasks given up. */
  handBackWaiting(): number {
    let count = 0
    const giveUp = (job: Job): boolean => {
      if (job.handBack === undefined) return false
      count += 1
      job.handBack()
      return true
    }
    for (const lane of this.#lanes.values()) {
      if (lane === null) continue
      const before = lane.length
      for (const job of lane.drain()) if (!giveUp(job)) lane.push(job)
      this.#laneWaiting -= before - lane.length
    }
    for (const job of this.#queue.drain()) {
      if (giveUp(job)) this.#nextInLane(job.orderingKey)
      else this.#queue.push(job)
    }
    this.#pump()
    this.#wakeIfIdle()
    return count
  }

  /** Resolves when nothing runs and nothing waits; at once if that is so. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    const idle = createDeferred<void>()
    this.#idleWaiters.push(() => idle.resolve())
    return idle.promise
  }

  /** Whether a task may go before all others: nobody waits, and there is a worker. */
  #isFree(): boolean {
    return this.#running < this.size && this.#queue.length === 0
  }

  #isIdle(): boolean {
    return this.#running === 0 && this.#queue.length === 0 && this.#laneWaiting === 0
  }

  /** Whether the next task may start now; uses up an admission. */
  #mayStart(): boolean {
    if (this.#admitted === null) return true
    if (this.#admitted === 0) return false
    this.#admitted = 0
    return true
  }

  #start(task: Task): void {
    this.#running += 1
    let outcome: Promise<void> | void
    try {
      outcome = task()
    } catch (error) {
      this.#onFailed(error)
      return
    }
    if (outcome === undefined) this.#finish()
    else outcome.then(this.#onDone, this.#onFailed)
  }

  #startKeyed(task: Task, orderingKey: string): void {
    this.#running += 1
    let outcome: Promise<void> | void
    try {
      outcome = task()
    } catch (error) {
      this.#nextInLane(orderingKey)
      this.#onFailed(error)
      return
    }
    if (outcome === undefined) {
      this.#nextInLane(orderingKey)
      this.#finish()
    } else outcome.finally(() => this.#nextInLane(orderingKey)).then(this.#onDone, this.#onFailed)
  }

  #finish(): void {
    this.#running -= 1
    this.#pump()
    this.#wakeIfIdle()
  }

  /** Lets the next task of the key wait for a worker; forgets the key when there is none. */
  #nextInLane(orderingKey: string | undefined): void {
    if (orderingKey === undefined) return
    const next = this.#lanes.get(orderingKey)?.shift()
    if (next === undefined) {
      this.#lanes.delete(orderingKey)
      return
    }
    this.#laneWaiting -= 1
    this.#queue.push(next)
  }

  #pump(): void {
    // A task that ends at once comes back here: the outer loop goes on, so that a long queue of them does not nest.
    if (this.#pumping) return
    this.#pumping = true
    while (this.#running < this.size && this.#queue.length > 0 && this.#mayStart()) {
      const job = this.#queue.shift()
      if (job === undefined) break
      if (job.orderingKey === undefined) this.#start(job.task)
      else this.#startKeyed(job.task, job.orderingKey)
    }
    this.#pumping = false
  }

  #wakeIfIdle(): void {
    if (this.#idleWaiters.length === 0 || !this.#isIdle()) return
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const wake of waiters) wake()
  }

  #report(error: unknown): void {
    emitDiagnostic('oslo-messaging:background-error', () => ({ source: 'worker pool', error }))
  }
}

/** The task, to run in the asynchronous context of this moment: what waits would otherwise run in the context of
 *  whatever ends before it, and its traces and logs would be taken for those of another message. */
function inThisContext(task: Task): Task {
  const context = new AsyncResource('oslo-messaging:task')
  return () => context.runInAsyncScope(task)
}
