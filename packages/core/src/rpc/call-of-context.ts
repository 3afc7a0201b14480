/** A request that is being handled, as far as calls made on its behalf need it. */
export interface CallUnderWay {
  /** Milliseconds its caller still waits; null: unknown. */
  readonly remainingMs: number | null
  /** The context it is remembered under. */
  rememberedFor?: object | undefined
}

/** Those under way only: a WeakMap, which would need no `forgetCall`, costs a request a quarter of its time in garbage
 *  collection. */
const calls = new Map<object, CallUnderWay>()
/** One of them has a place of its own: where one request is handled at a time, as most methods are, which return at
 *  once, no map is written. */
let first: CallUnderWay | undefined

/** Notes which call a context came with, until `forgetCall`. */
export function rememberCall(context: object, call: CallUnderWay): void {
  call.rememberedFor = context
  if (first === undefined) first = call
  else calls.set(context, call)
}

/** The call is over. */
export function forgetCall(call: CallUnderWay): void {
  const { rememberedFor } = call
  if (first === call) first = undefined
  else if (rememberedFor !== undefined && calls.get(rememberedFor) === call) calls.delete(rememberedFor)
}

/** Milliseconds that the caller behind a context still waits; undefined when the context came with no call that is
 *  under way. */
export function remainingOf(context: object): number | undefined {
  const call = first?.rememberedFor === context ? first : calls.size === 0 ? undefined : calls.get(context)
  return call?.remainingMs ?? undefined
}
