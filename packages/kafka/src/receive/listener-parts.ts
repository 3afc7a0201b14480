import { randomUUID } from 'node:crypto'
import type { Clock, IncomingNotification, Logger, StartFrom } from '@oslo-messaging/core/driver'
import type { KafkaClient, OutgoingRecord } from '../port/client-port.ts'
import { Dispenser } from './dispenser.ts'
import { GiveBack } from './give-back.ts'
import { Intake } from './intake.ts'
import { DoubtfulCommits } from '../positions/doubtful-commits.ts'
import { GroupInquiry } from '../positions/group-inquiry.ts'
import { OffsetCommitter } from '../positions/offset-committer.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import { PartitionTable, type Session } from '../positions/partition-table.ts'
import { kindOf, toFault } from '../port/map-error.ts'
import { DeadLetters } from './dead-letters.ts'
import type { KafkaSettings } from '../settings.ts'
import { UnreadableBatches } from '../positions/unreadable-batches.ts'
import { warnOfUnreadTopics } from './vhost-advice.ts'
import { Watchdog } from '../positions/watchdog.ts'

const WATCH_MS = 15_000

export interface KafkaListenerOptions {
  readonly client: KafkaClient
  readonly group: string
  /** Priority by Kafka topic. */
  readonly topics: ReadonlyMap<string, string>
  /** Names without the virtual host, by the names that are read instead. */
  readonly unread: ReadonlyMap<string, string>
  readonly settings: KafkaSettings
  /** Where the group begins in partitions it has never read; undefined: as the settings say. */
  readonly startFrom: StartFrom | undefined
  /** Its name as a static member of the group; undefined: it is a dynamic one. */
  readonly instance: string | undefined
  readonly prefetch: number
  readonly onMessage: (notification: IncomingNotification) => void
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
  /** Stores a record in another topic: the dead-letter topic. */
  readonly send: (topic: string, record: OutgoingRecord) => Promise<void>
}

/** What the parts ask of the listener they belong to. */
export interface ListenerHooks {
  readonly name: string
  /** The session in use; undefined between two. */
  readonly session: () => Session | undefined
  readonly isStopped: () => boolean
  readonly onRevoked: (flow: PartitionFlow) => void
  /** This session cannot go on. Nothing happens when it is not the one in use any more. */
  readonly onLost: (session: Session, error: unknown) => void
}

/** The parts of a listener, each with one job; they outlive its sessions. */
export interface ListenerParts {
  readonly inquiry: GroupInquiry
  readonly table: PartitionTable
  readonly committer: OffsetCommitter
  readonly dispenser: Dispenser
  readonly intake: Intake
  readonly watchdog: Watchdog
  readonly giveBack: GiveBack
  readonly doubts: DoubtfulCommits
  readonly unreadable: UnreadableBatches
}

/** Makes the parts of a listener and connects them: wiring only. */
export function createListenerParts(options: KafkaListenerOptions, hooks: ListenerHooks): ListenerParts {
  const { client, group, settings, prefetch, topics, onMessage, logger, clock } = options
  const { commit, maxPollRecords, maxWaitMs, offsetReset } = settings
  const self = randomUUID()
  const giveBack = new GiveBack(hooks.name, group, self, logger, clock)
  const doubts = new DoubtfulCommits({
    self,
    onStored: ({ flow, records, to }) => intake.handOut(flow, records, to),
    onUndecidable: ({ records }) =>
      giveBack.report(records.length, new Error('The answer to their commit was lost, and others have read on since')),
  })
  const inquiry = new GroupInquiry(client, group, [...topics.keys()])
  const table = new PartitionTable({
    inquiry,
    group,
    topics: [...topics.keys()],
    startFrom: options.startFrom ?? offsetReset,
    isStartChosen: options.startFrom !== undefined,
    commitsFirst: commit !== 'after',
    self,
    doubts,
    logger,
    clock,
    isCurrent: (session) => hooks.session() === session,
    onMissing: async (missing) => await warnOfUnreadTopics(client, missing, options.unread, logger),
    onRevoked: hooks.onRevoked,
  })
  const committer = new OffsetCommitter({
    mode: commit,
    clock,
    commit: async (positions) => {
      const session = hooks.session()
      if (session === undefined) return false
      try {
        await session.port.commit(positions)
        return true
      } catch (error) {
        // When the group moves, the client joins again by itself.
        if (kindOf(toFault(error)) !== 'rejoin') hooks.onLost(session, error)
        return false
      }
    },
  })
  const dispenser = new Dispenser({
    prefetch,
    topics,
    tracked: commit === 'after',
    onMessage,
    onAdvance: (flow) => {
      if (flow.settledUpTo !== undefined) committer.advance(flow, flow.settledUpTo)
    },
    deadLetters: new DeadLetters({ topic: options.settings.deadLetterTopic, send: options.send }),
    partitions: () => table.size,
  })
  const intake = new Intake({
    commit,
    maxPollRecords,
    maxWaitMs,
    clock,
    dispenser,
    committer,
    session: hooks.session,
    isStopped: hooks.isStopped,
    isOurs: (flow) => table.get(flow.key) === flow,
    maxQueuedBytes: settings.maxQueuedBytes,
    partitions: () => table.size,
    room: table.room,
    self,
    doubts,
    onLost: hooks.onLost,
  })
  const watchdog = new Watchdog({
    clock,
    intervalMs: WATCH_MS,
    ask: async () => await table.ask(),
    partitions: () =>
      [...table.values()].map(({ topic, partition, next, queued, isPaused }) => ({
        topic,
        partition,
        next,
        isBusy: queued > 0 || isPaused || hooks.isStopped(),
      })),
    known: () => table.known,
    onTrouble: (error) => {
      const session = hooks.session()
      if (session !== undefined) hooks.onLost(session, error)
    },
  })
  const unreadable = new UnreadableBatches({ group, logger, clock, partitions: () => table.values() })
  return { inquiry, table, committer, dispenser, intake, watchdog, giveBack, doubts, unreadable }
}
