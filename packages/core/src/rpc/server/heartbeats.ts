import type { Logger } from '../../diagnostics/logger.ts'
import type { IncomingRequest } from '../../driver/messages.ts'
import type { Clock } from '../../util/clock.ts'

/** Sends signs of life while a monitored call runs: every half of the client's monitor timeout, the first after one
 *  such interval. The function given back ends them.
 *  A timeout below 2 seconds gets none, as in oslo. They end by themselves when the client cannot be reached. */
export function startHeartbeats(request: IncomingRequest, clock: Clock, logger: Logger): (() => void) | undefined {
  if (!request.expectsReply || request.callMonitorTimeout === null) return undefined
  const intervalMs = (Math.trunc(request.callMonitorTimeout) / 2) * 1000
  // Also false for what is no number.
  if (!(intervalMs >= 1000)) {
    if (intervalMs > 0)
      logger.warn(
        `A client monitors its call every ${request.callMonitorTimeout} s, which is too often for signs of life; from 2 s they are sent`,
      )
    return undefined
  }
  let timer: unknown
  let ended = false
  const arm = (): void => {
    timer = clock.setTimeout(() => {
      arm()
      void request.heartbeat().then((reachable) => {
        if (!reachable) end()
      })
    }, intervalMs)
  }
  const end = (): void => {
    if (ended) return
    ended = true
    clock.clearTimeout(timer)
  }
  arm()
  return end
}
