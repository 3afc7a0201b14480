import { internal, isFunction } from './internals.ts'

interface RequestQueueClass {
  readonly prototype: { scheduleCheckPendingRequests: (this: RequestQueue) => void }
}

/** The fields of kafkajs's request queue that the corrected method uses. */
interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
}

const CHECK_INTERVAL_MS = 10
let applied = false

/** kafkajs 2.2.4 re-arms a timer on every connection although nothing is pending, with a delay of minus the current
 *  time: a wake-up each millisecond, and a TimeoutNegativeWarning on Node 24 (tulios/kafkajs#1751). Here it is armed
 *  only when something waits. The one patch that every user of this copy of kafkajs in the process gets: the requests
 *  of nobody change by it. Throws: DriverLoadFailure. */
export function correctRequestQueue(): void {
  if (applied) return
  const { prototype } = internal('network/requestQueue', isRequestQueue)
  applied = true
  prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
    const waitMs = this.throttledUntil - Date.now()
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      waitMs > 0 ? waitMs : CHECK_INTERVAL_MS,
    )
  }
}

function isRequestQueue(found: unknown): found is RequestQueueClass {
  const prototype: unknown = isFunction(found) ? found.prototype : undefined
  const { scheduleCheckPendingRequests, checkPendingRequests } = (prototype ?? {}) as Record<string, unknown>
  return isFunction(scheduleCheckPendingRequests) && isFunction(checkPendingRequests)
}
