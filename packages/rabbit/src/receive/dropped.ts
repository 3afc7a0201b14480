import { type DiagnosticEvents, emitDiagnostic } from '@oslo-messaging/core/driver'
import { DRIVER, type Runtime } from '../connection/runtime.ts'

type Dropped = DiagnosticEvents['oslo-messaging:message-dropped']

/** Says that a message was settled without reaching a handler. */
export function reportDropped(
  { logger }: Runtime,
  source: string,
  reason: Dropped['reason'],
  facts: { readonly error?: unknown; readonly uniqueId?: string },
): void {
  const { error } = facts
  logger.warn(`${source} dropped a message: ${reason}${error instanceof Error ? `: ${error.message}` : ''}`, {
    reason,
    ...(facts.uniqueId === undefined ? {} : { uniqueId: facts.uniqueId }),
  })
  emitDiagnostic('oslo-messaging:message-dropped', () => ({ driver: DRIVER, source, reason, ...facts }))
}
