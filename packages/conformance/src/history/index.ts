/** Histories of numbered messages, and what they are held to: the one checker of certifications, simulations and the
 *  conformance suite. Needs no test runner and no broker. */
export { checkHistory, type CheckOptions } from './check-history.ts'
export type {
  CommittedEvent,
  DownEvent,
  HandledEvent,
  HistoryEvent,
  RejectedEvent,
  RepliedEvent,
  ReportedEvent,
  ResolvedEvent,
  SentEvent,
  SettledEvent,
  StoredEvent,
  WipedEvent,
} from './event.ts'
export { History } from './history.ts'
export { type HistoryPromises, type ReaderPromises, readerPromises } from './promises.ts'
export { type HistoryTotals, type Invariant, INVARIANTS, type Verdict, type Violation } from './verdict.ts'
