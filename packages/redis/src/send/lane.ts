import { createDeferred, type Deadline } from '@oslo-messaging/core/driver'

/** Messages leave in the order in which they were given, whatever each has to wait for first. */
export class Lane {
  #last: Promise<void> = Promise.resolve()

  /** Waits for its turn and for `arrive`, then calls `leave`, which must write at once. Rejects at the deadline: the
   *  message has not left then. */
  async run<Arrived, Result>(
    deadline: Deadline,
    arrive: () => Promise<Arrived>,
    leave: (arrived: Arrived) => Result,
  ): Promise<Result> {
    const before = this.#last
    const { promise, resolve } = createDeferred<void>()
    this.#last = before.then(() => promise)
    try {
      await deadline.race(before, { phase: 'publish', delivery: 'not-sent' })
      return leave(await deadline.race(arrive(), { phase: 'publish', delivery: 'not-sent' }))
    } finally {
      resolve()
    }
  }
}
