interface Watch {
  readonly callbacks: Set<() => void>
  readonly run: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/** Calls `callback` once when the signal aborts; the returned function calls that off. A signal that has aborted
 *  already calls nothing.
 *  However many wait for one signal, it gets one listener: Node warns of a leak from the eleventh on, and one shutdown
 *  signal may end thousands of calls.
 *  The listener goes with the last of them, because Node keeps some signals alive for as long as they have one. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks } = watches.get(signal) ?? watch(signal)
  // The same function may be given twice; each time counts.
  const own = (): void => callback()
  callbacks.add(own)
  return () => {
    callbacks.delete(own)
    if (callbacks.size === 0) unwatch(signal)
  }
}

function watch(signal: AbortSignal): Watch {
  const callbacks = new Set<() => void>()
  const run = (): void => {
    // Only those that wait now: one callback may call off another.
    for (const callback of callbacks) if (callbacks.delete(callback)) callback()
  }
  const made = { callbacks, run }
  watches.set(signal, made)
  signal.addEventListener('abort', run, { once: true })
  return made
}

function unwatch(signal: AbortSignal): void {
  const found = watches.get(signal)
  if (found === undefined) return
  watches.delete(signal)
  signal.removeEventListener('abort', found.run)
}

/** Waits for the work or for the signal, whichever is first. */
export async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  let release = (): void => {}
  const aborted = new Promise<void>((resolve) => {
    release = onAbort(signal, resolve)
  })
  await Promise.race([work, aborted])
  release()
}
