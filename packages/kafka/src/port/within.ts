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

/** Resolves after `delayMs`, or when `signal` aborts. */
export async function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (delayMs === 0 || signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimeout(end, delayMs)
    signal.addEventListener('abort', end, { once: true })
  })
}
