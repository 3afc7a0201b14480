import type { ReaderPromises } from '@oslo-messaging/conformance/history'
import type { Logger } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import type { Buses, TestedTopic } from './workload.ts'

/** Which of the two processes of a run. */
export type Side = 'senders' | 'readers'

/** One broker (or cluster) with queues, and how our driver is held against it: what differs between profiles. */
export interface QueueRoom extends AsyncDisposable {
  /** `rabbit 3.10.8, one node`. */
  readonly title: string
  readonly topics: readonly TestedTopic[]
  readonly nemeses: readonly Nemesis[]
  /** Its readers are drained and start anew as well, as one more nemesis. */
  readonly isDrained?: boolean
  /** Names of those that the short form uses. */
  readonly short: readonly string[]
  /** Transports of their own, as a process has them; they know only addresses that the room can break. */
  open(logger: Logger, side: Side): Promise<Buses>
  promisesOf(topic: TestedTopic): ReaderPromises
  /** Copies that the broker makes for an outside reader; absent where it cannot. */
  readonly mirror?: Mirror
  /** Resolves when all nodes are up and know each other; asked again when it rejects. */
  whole(): Promise<void>
  /** Numbers of messages that the broker itself has put aside, by the name of where they are. */
  buried?(): Promise<Readonly<Record<string, readonly number[]>>>
  /** Takes out what still waits for the readers of a topic, once they have stopped. */
  leftovers(topic: TestedTopic): Promise<readonly number[]>
}

/** A queue of its own beside those under test, which gets a copy of every message. */
export interface Mirror {
  /** Topics of which it has copies. */
  readonly topics: readonly TestedTopic[]
  begin(): Promise<void>
  /** Reads everything, in order. */
  read(onMessage: (place: string, message: number) => void): Promise<void>
}
