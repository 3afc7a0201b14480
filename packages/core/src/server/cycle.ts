import type { Listener } from '../driver/driver.ts'
import { createDeferred, type Deferred } from '../util/deferred.ts'
import type { WorkerPool } from './worker-pool.ts'

/** One round of start, stop and wait. Each step runs once in it, whoever asks and however often. */
export interface Cycle {
  start: Promise<void> | undefined
  stop: Promise<void> | undefined
  wait: Promise<void> | undefined
  stopDone: boolean
  /** The subscription is lost for good. */
  isLost: boolean
  listener: Listener | undefined
  pool: WorkerPool | undefined
  /** Ends the start that is under way. */
  starting: AbortController
  readonly stopped: Deferred<void>
  closed: Deferred<void>
}

export function newClosed(): Deferred<void> {
  const closed = createDeferred<void>()
  // Whoever looks at `closed` gets the rejection; when nobody does it has been reported already.
  closed.promise.catch(() => {})
  return closed
}

export function newCycle(): Cycle {
  return {
    start: undefined,
    stop: undefined,
    wait: undefined,
    stopDone: false,
    isLost: false,
    listener: undefined,
    pool: undefined,
    starting: new AbortController(),
    stopped: createDeferred<void>(),
    closed: newClosed(),
  }
}
