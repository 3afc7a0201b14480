import type { Clock, Deadline } from '@oslo-messaging/core/driver'

/** Empty lines that are kept for the next of the same time. */
const IDLE_LINES = 16

/** Something that ends at its deadline. It stands in at most one line at a time, and carries its neighbours so that it
 *  can leave from the middle. */
export interface Expiring {
  readonly deadline: Deadline
  earlier: Expiring | undefined
  later: Expiring | undefined
  /** The deadline has passed. It has left its line by then. */
  expire(): void
}

/** Watches many deadlines with few timers: those that were given the same time stand in one line, in the order in which
 *  they end, and only the first needs a timer. Abort signals are not watched. */
export class DeadlineLines {
  readonly #clock: Clock
  readonly #lines = new Map<number, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A deadline without a limit needs no place. */
  add(item: Expiring): void {
    const { timeoutMs } = item.deadline
    if (timeoutMs === null) return
    let line = this.#lines.get(timeoutMs)
    if (line === undefined) {
      line = new Line(this.#clock)
      this.#lines.set(timeoutMs, line)
    }
    line.add(item)
  }

  /** Without effect for what stands in no line. */
  remove(item: Expiring): void {
    const { timeoutMs } = item.deadline
    const line = timeoutMs === null ? undefined : this.#lines.get(timeoutMs)
    if (timeoutMs === null || line === undefined) return
    line.remove(item)
    if (line.isEmpty && this.#lines.size > IDLE_LINES) this.#lines.delete(timeoutMs)
  }
}

class Line {
  readonly #clock: Clock
  #first: Expiring | undefined
  #last: Expiring | undefined
  #timer: unknown

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  add(item: Expiring): void {
    let before = this.#last
    // What had to wait for room comes with an earlier deadline than what was made since.
    while (before !== undefined && before.deadline.at > item.deadline.at) before = before.earlier
    const after = before === undefined ? this.#first : before.later
    item.earlier = before
    item.later = after
    if (before === undefined) this.#first = item
    else before.later = item
    if (after === undefined) this.#last = item
    else after.earlier = item
    if (before !== undefined) return
    this.#disarm()
    this.#arm(item)
  }

  remove(item: Expiring): void {
    const { earlier, later } = item
    if (earlier === undefined && this.#first !== item) return
    if (earlier === undefined) this.#first = later
    else earlier.later = later
    if (later === undefined) this.#last = earlier
    else later.earlier = earlier
    item.earlier = undefined
    item.later = undefined
    // A timer that was set for one that has left goes off too early, and is set again then.
    if (this.#first === undefined) this.#disarm()
  }

  #arm(item: Expiring): void {
    this.#timer = this.#clock.setTimeout(() => this.#run(), Math.ceil(item.deadline.remainingMs))
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #run(): void {
    this.#timer = undefined
    for (let item = this.#first; item !== undefined && item.deadline.expired; item = this.#first) {
      this.remove(item)
      item.expire()
    }
    // `expire` may have added the next.
    if (this.#first !== undefined && this.#timer === undefined) this.#arm(this.#first)
  }
}
