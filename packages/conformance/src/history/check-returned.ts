import type { HistoryEvent } from './event.ts'
import type { Summary } from './summary.ts'

/** An acknowledgement that was sent so shortly before a node went down may not have been read. */
const UNREAD_MS = 1_000

/** How often each message was handled again as if it were new because a node went down that held its acknowledgement:
 *  it was handled while the node went down or was away, and again after. By reader and message; readers who were
 *  promised marks in any case have none. */
export class Returned {
  readonly #counts = new Map<string, number>()

  constructor(events: Iterable<HistoryEvent>, { downs, promises, readers, table }: Summary) {
    const concerned = new Map(
      readers.flatMap((reader, index) =>
        promises.readers[reader]?.repeats === 'marked-while-up' ? [[reader, table.readers(index)] as const] : [],
      ),
    )
    if (downs.length === 0 || concerned.size === 0) return
    const last = new Map<string, number>()
    for (const event of events) {
      if (event.kind !== 'handled') continue
      const { message, reader, at, redelivered } = event
      if ((concerned.get(reader)?.unmarked[message] ?? 0) < 2) continue
      const key = keyOf(reader, message)
      const before = last.get(key)
      last.set(key, at)
      if (before === undefined || redelivered) continue
      const isReturned = downs.some(
        ({ fromMs, untilMs }) => before >= fromMs - UNREAD_MS && before <= untilMs && at >= fromMs,
      )
      if (isReturned) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    }
  }

  of(reader: string, message: number): number {
    return this.#counts.get(keyOf(reader, message)) ?? 0
  }
}

function keyOf(reader: string, message: number): string {
  return `${message} ${reader}`
}
