import { emitDiagnostic, watcherOf } from '../../diagnostics/channels.ts'
import { observe } from '../../diagnostics/observe.ts'
import type { Target } from '../../target.ts'

const isWatched = watcherOf('oslo-messaging:rpc-client:start', 'oslo-messaging:rpc-client:end')
let lastId = 0

/** Tells the diagnostics channels of the sending, if anyone listens; the function ends it. */
export function observeSending(
  kind: 'call' | 'cast',
  target: Target,
  method: string,
  clock: { now(): number },
): ((error?: unknown) => void) | undefined {
  if (!isWatched()) return undefined
  const facts = { id: (lastId += 1), kind, target: String(target), method }
  emitDiagnostic('oslo-messaging:rpc-client:start', () => facts)
  return observe(clock, (ending) => emitDiagnostic('oslo-messaging:rpc-client:end', () => ({ ...facts, ...ending })))
}
