import type { Findings } from './findings.ts'
import type { MessageTable } from './message-table.ts'
import type { Names } from './names.ts'
import type { Positions } from './positions.ts'
import type { HistoryPromises } from './promises.ts'

/** What the checks look at, once all events were read. */
export interface Summary {
  readonly table: MessageTable
  /** Places by the ids of the table, which count from 1. */
  readonly places: Names
  readonly promises: HistoryPromises
  /** Places that an outside reader has read. */
  readonly outside: ReadonlySet<string>
  readonly readers: readonly string[]
  readonly positions: Positions
  /** Messages that the library said will not reach a reader. */
  readonly reported: Map<string, number>
  readonly findings: Findings
  /** When nodes of the broker were away. */
  readonly downs: { readonly fromMs: number; readonly untilMs: number }[]
}

/** The place that a message was sent to. */
export function placeOf({ table, places }: Summary, message: number): string {
  return places.textOf((table.place[message] ?? 0) - 1)
}
