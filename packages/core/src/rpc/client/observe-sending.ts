import { emitDiagnostic, hasDiagnosticSubscribers } from '../../diagnostics/channels.ts'
import type { Target } from '../../target.ts'

let lastId = 0

/** Tells the diagnostics channels of the sending, if anyone listens; the function ends it. */
export function observeSending(
  kind: 'call' | 'cast',
  target: Target,
  method: string,
  clock: { now(): number },
): ((error?: unknown) => void) | undefined {
  const wanted =
    hasDiagnosticSubscribers('oslo-messaging:rpc-client:start') ||
    hasDiagnosticSubscribers('oslo-messaging:rpc-client:end')
  if (!wanted) return undefined
  const facts = { id: (lastId += 1), kind, target: String(target), method }
  const startedAt = clock.now()
  emitDiagnostic('oslo-messaging:rpc-client:start', () => facts)
  return (error) =>
    emitDiagnostic('oslo-messaging:rpc-client:end', () => ({
      ...facts,
      durationMs: clock.now() - startedAt,
      ...(error === undefined ? {} : { error }),
    }))
}
