import { Deadline, type Driver, type IncomingRequest, isMessagingError, type Target } from '@oslo-messaging/core/driver'
import { castOptions } from './open-driver.ts'

/** What escaped everybody's hands while `work` ran; must stay empty (P02). */
export async function unhandledDuring(work: () => Promise<void>): Promise<readonly unknown[]> {
  const seen: unknown[] = []
  const note = (reason: unknown): unknown => seen.push(reason)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  try {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  }
  return seen
}

/** Casts numbers to a topic, one after the other, until stopped; failures are counted and must be typed. */
export class Traffic {
  sent = 0
  failed = 0
  #running = true
  readonly #done: Promise<void>

  constructor(driver: Driver, target: Target, pauseMs = 5) {
    this.#done = this.#run(driver, target, pauseMs)
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#done
  }

  async #run(driver: Driver, target: Target, pauseMs: number): Promise<void> {
    while (this.#running) {
      try {
        const message = { method: 'm', args: { n: this.sent } }
        await driver.send(target, { context: {}, message }, { ...castOptions(), deadline: Deadline.after(2000) })
        this.sent += 1
      } catch (error) {
        if (!isMessagingError(error)) throw error
        this.failed += 1
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** Collects the numbers that arrive, and when the last one did. */
export class Arrivals {
  readonly numbers: number[] = []
  readonly onMessage = (request: IncomingRequest): void => {
    request.acknowledge()
    this.numbers.push((request.message['args'] as { n: number }).n)
  }
}

/** Resolves to the milliseconds until `check` holds; rejects after `limitMs`. */
export async function waitFor(what: string, check: () => boolean | Promise<boolean>, limitMs: number): Promise<number> {
  const start = performance.now()
  while (!(await check())) {
    if (performance.now() - start > limitMs) throw new Error(`${what}: not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return performance.now() - start
}

/** The rejection of a promise that must not resolve. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('resolved')
}
