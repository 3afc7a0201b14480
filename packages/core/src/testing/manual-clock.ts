import { checkOptions, shown } from '../util/check.ts'
import type { Clock } from '../util/clock.ts'

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  /** Moves time on by `ms`: timers that come due run in their order, each at its own time, and after each one promises
   *  get to settle.
   *  Resolves when all is quiet. Calls made at once take turns. */
  advance(ms: number): Promise<void>
  /** Timers that have not run. */
  readonly pending: number
}

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that stands still until `advance` moves it. */
export function createManualClock(options: { readonly wallTime?: number } = {}): ManualClock {
  checkOptions('createManualClock', options, { wallTime: true })
  const startedAt = options.wallTime ?? Date.UTC(2026, 0, 1)
  const timers = new Set<Timer>()
  let now = 0
  let previous: Promise<void> = Promise.resolve()

  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined
    // A Set iterates in order of insertion, so of two timers for the same time the older one runs first.
    for (const timer of timers) if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer
    return next
  }
  const move = async (ms: number): Promise<void> => {
    const until = now + ms
    await settle()
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timers.delete(timer)
      now = timer.at
      timer.callback()
      await settle()
    }
    now = until
    await settle()
  }
  return {
    now: () => now,
    wallTime: () => startedAt + now,
    setTimeout(callback, delayMs) {
      const timer = { at: now + Math.max(0, delayMs), callback }
      timers.add(timer)
      return timer
    },
    clearTimeout(handle) {
      timers.delete(handle as Timer)
    },
    advance(ms) {
      if (typeof ms !== 'number' || !(ms >= 0))
        throw new TypeError(`advance takes a number of milliseconds, 0 or more, not ${shown(ms)}`)
      previous = previous.then(() => move(ms))
      return previous
    },
    get pending() {
      return timers.size
    },
  }
}

/** Lets promises settle, and work that was put off to the next turns of the event loop run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}
