import type { DriverCapabilities } from '@oslo-messaging/core/driver'

/** What a reader was promised. */
export interface ReaderPromises {
  /** Where it reads, by the names that `sent` events use. */
  readonly places: readonly string[]
  /** `at-least-once`: whatever was resolved is handled. `at-most-once`: nothing is handled twice, and what was
   *  committed and not handled is reported. `best-effort`: neither (a fanout that a listener without a connection
   *  misses). */
  readonly delivery: 'at-least-once' | 'at-most-once' | 'best-effort'
  /** When a message that is stored once may be handled more than once: `never`, when the delivery is `marked` as a
   *  repetition, the same but for what was acknowledged to a node that went down before it had read that
   *  (`marked-while-up`), or `allowed` without a mark. */
  readonly repeats: 'never' | 'marked' | 'marked-while-up' | 'allowed'
  /** Each member handles the messages of one key (in each partition) in the order they were sent. */
  readonly ordered: boolean
  /** What was handled is settled or committed by the end of the history. */
  readonly settles: boolean
}

/** What a history is held to. Data, so that a driver's capabilities and the settings of a run decide it. */
export interface HistoryPromises {
  /** Places of which an outside reader has recorded everything that the broker keeps, so that a message without
   *  `stored` is not there. */
  readonly readOutside: readonly string[]
  /** What an outside reader found is what the readers read as well (a log), so that it is owed to them even if its send
   *  did not resolve. False: it read copies, and a broker that died on the way may have made one and not the other. */
  readonly storedForReaders: boolean
  /** A message is stored at most once, whatever happened while it was sent. */
  readonly storedOnce: boolean
  /** A partition keeps the messages of one key in the order they were sent. */
  readonly storedInOrder: boolean
  /** A send that may still succeed is not given up as `unknown` before its deadline. */
  readonly triesUntilDeadline: boolean
  /** A send ends at most so long after its deadline, milliseconds; null: not checked. */
  readonly graceMs: number | null
  readonly readers: Readonly<Record<string, ReaderPromises>>
}

/** What a driver's declared capabilities promise to a reader of notifications that has one position or queue of its
 *  own. `settledBefore`: what this listener was configured to, where the driver leaves it to the configuration. */
export function readerPromises(
  capabilities: Pick<DriverCapabilities, 'notificationAcknowledgement' | 'ordering'>,
  places: readonly string[],
  settings: { readonly settledBefore?: boolean; readonly members?: number } = {},
): ReaderPromises {
  const { settledBefore = capabilities.notificationAcknowledgement === 'before-handler', members = 1 } = settings
  const ordered = capabilities.ordering === 'partition' || (capabilities.ordering === 'queue' && members === 1)
  return settledBefore
    ? { places, delivery: 'at-most-once', repeats: 'never', ordered, settles: false }
    : { places, delivery: 'at-least-once', repeats: 'allowed', ordered, settles: true }
}
