import type { Clock } from '@oslo-messaging/core/driver'

/** Settles as `work` does, or rejects after `timeoutMs`; the work goes on by itself then. */
export async function within<T>(timeoutMs: number, clock: Clock, work: Promise<T>): Promise<T> {
  let timer: unknown
  const late = new Promise<never>((_resolve, reject) => {
    timer = clock.setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clock.clearTimeout(timer)
  }
}
