import { createRequire } from 'node:module'

interface RequestQueuePrototype {
  scheduleCheckPendingRequests?: (this: RequestQueue) => void
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

/** kafkajs 2.2.4 re-arms a timer on every connection although nothing is pending, with a delay of minus the current time:
 *  a wake-up each millisecond, and a TimeoutNegativeWarning on Node 24 (tulios/kafkajs#1751). Here it is armed only when something waits.
 *  Every user of this copy of kafkajs in the process gets the correction; a kafkajs that looks different is left alone. */
export function correctRequestQueue(): void {
  if (applied) return
  applied = true
  const prototype = requestQueuePrototype()
  if (prototype?.scheduleCheckPendingRequests === undefined) return
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

function requestQueuePrototype(): RequestQueuePrototype | null {
  try {
    const require = createRequire(import.meta.url)
    const found: unknown = require('kafkajs/src/network/requestQueue')
    return typeof found === 'function' ? (found.prototype as RequestQueuePrototype) : null
  } catch {
    // Another build of kafkajs without this file: then there is nothing to correct, and nothing else depends on it.
    return null
  }
}
