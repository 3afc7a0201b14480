/** Resolves when the operator presses Ctrl-C. */
export async function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Resolves after so many seconds; `cancel` frees the timer. */
export function after(seconds: number | undefined): { readonly over: Promise<void>; readonly cancel: () => void } {
  if (seconds === undefined) return { over: new Promise(() => {}), cancel: () => {} }
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  return { over, cancel: () => clearTimeout(timer) }
}
