/** A request that is being handled, as far as calls made on its behalf need it. */
export interface CallUnderWay {
  /** Milliseconds its caller still waits; null: unknown. */
  readonly remainingMs: number | null
}

const calls = new WeakMap<object, CallUnderWay>()

/** Notes which call a context came with. */
export function rememberCall(context: object, call: CallUnderWay): void {
  calls.set(context, call)
}

/** Milliseconds that the caller behind a context still waits; undefined when the context came with no call. */
export function remainingOf(context: object): number | undefined {
  return calls.get(context)?.remainingMs ?? undefined
}
