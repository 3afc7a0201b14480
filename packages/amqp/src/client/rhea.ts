/** The only import of rhea: its quirks stay here. rhea is CommonJS; a named import type-checks and fails at run
 *  time. */
import { emitDiagnostic } from '@oslo-messaging/core/driver'
import rhea from 'rhea'
import type { Connection, ConnectionOptions, Container, EventContext } from 'rhea'

export type { Connection, EventContext }

/** What `connect` of rhea takes and its types do not know. */
export type ConnectOptions = ConnectionOptions & { readonly tcp_no_delay?: boolean }

/** A container of our own: its default one is shared by everything in the process that uses rhea. */
export function createContainer(id: string): Container {
  const container = rhea.create_container({ id })
  // Events nobody handled bubble up to here. An unhandled 'error' would end the process, and an unhandled
  // 'disconnected' be written to its console. Owners of connections have acted on them first.
  for (const event of ['error', 'protocol_error', 'disconnected'])
    container.on(event, (error: unknown) =>
      emitDiagnostic('oslo-messaging:background-error', () => ({ source: `amqp ${event}`, error })),
    )
  return container
}
