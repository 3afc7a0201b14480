import type { Clock } from '@oslo-messaging/core/driver'
import type { ClientConnection } from './client.ts'

export interface HeartbeatMonitor {
  /** Milliseconds the event loop was held up lately, as seen from here; 0 when it was not. */
  blockedMs(): number
  stop(): void
}

/** Watches a connection for silence. amqplib notices a dead peer after two to three times the threshold; oslo promises
 *  once. Both sides send at least every half threshold, so a whole one without a byte means that nobody is there. A
 *  held-up event loop looks the same from inside; it is told apart by this monitor's own lateness and given another
 *  round. */
export function monitorHeartbeat(
  connection: ClientConnection,
  options: { readonly thresholdMs: number; readonly rate: number; readonly clock: Clock },
): HeartbeatMonitor {
  const { thresholdMs, rate, clock } = options
  if (thresholdMs <= 0) return { blockedMs: () => 0, stop: () => {} }
  const everyMs = Math.max(50, thresholdMs / Math.max(1, rate) / 2)
  let bytes = connection.bytesReceived
  let heardAt = clock.now()
  let dueAt = clock.now() + everyMs
  let lastBlock = { ms: 0, at: -Infinity }
  const check = (): void => {
    const now = clock.now()
    const lateMs = now - dueAt
    if (connection.bytesReceived !== bytes) {
      bytes = connection.bytesReceived
      heardAt = now
    } else if (lateMs >= everyMs) {
      // What arrived meanwhile has not been read yet.
      heardAt = Math.max(heardAt, now - thresholdMs + everyMs)
    } else if (now - heardAt >= thresholdMs) {
      return connection.destroy(new Error(`Nothing heard from the broker for ${Math.round(now - heardAt)} ms`))
    }
    if (lateMs >= everyMs) lastBlock = { ms: lateMs, at: now }
    dueAt = clock.now() + everyMs
    timer = clock.setTimeout(check, everyMs)
  }
  let timer = clock.setTimeout(check, everyMs)
  return {
    blockedMs() {
      const now = clock.now()
      const overdueMs = now - dueAt
      if (overdueMs >= everyMs) return Math.round(overdueMs)
      return now - lastBlock.at <= 2 * thresholdMs ? Math.round(lastBlock.ms) : 0
    },
    stop: () => clock.clearTimeout(timer),
  }
}
