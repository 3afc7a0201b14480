import { type Clock, emitDiagnostic, type Logger } from '@oslo-messaging/core/driver'
import type { FetchedRecord, OutgoingRecord } from '../port/client-port.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'

const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 5000
/** What goes into a header of the reason. */
const REASON_LENGTH = 1000

/** Headers of a record in the dead-letter topic; its value is the original record's, byte for byte. */
export const DEAD_LETTER_HEADERS = {
  topic: 'oslo-messaging-topic',
  partition: 'oslo-messaging-partition',
  offset: 'oslo-messaging-offset',
  attempts: 'oslo-messaging-attempts',
  reason: 'oslo-messaging-reason',
} as const

export interface PoisonPolicyOptions {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number
  /** null: discard. */
  readonly deadLetterTopic: string | null
  /** Stores a record; resolves when the broker owns it. */
  readonly send: (topic: string, record: OutgoingRecord) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

/** What happens to a notification whose handler fails while the position follows the handlers: a few attempts, then the dead-letter topic or the bin. */
export class PoisonPolicy {
  readonly #options: PoisonPolicyOptions

  constructor(options: PoisonPolicyOptions) {
    this.#options = options
  }

  /** Resolves `retry` after a pause, or `done` when the record has been put aside for good. Never rejects: a dead-letter topic that cannot be written is tried again until it can. */
  async judge(flow: PartitionFlow, record: FetchedRecord, attempt: number, error: unknown): Promise<'retry' | 'done'> {
    const { maxAttempts, deadLetterTopic, logger } = this.#options
    if (attempt < maxAttempts) {
      await this.#pause(Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS))
      return 'retry'
    }
    const source = `${flow.key}@${record.offset}`
    if (deadLetterTopic !== null) await this.#bury(deadLetterTopic, flow, record, attempt, error)
    logger.error(
      deadLetterTopic === null
        ? 'kafka notification failed too often and is discarded'
        : 'kafka notification failed too often and was moved to the dead-letter topic',
      { source, attempts: attempt, deadLetterTopic, error },
    )
    return 'done'
  }

  async #bury(
    topic: string,
    flow: PartitionFlow,
    record: FetchedRecord,
    attempt: number,
    error: unknown,
  ): Promise<void> {
    const headers = {
      ...record.headers,
      [DEAD_LETTER_HEADERS.topic]: flow.topic,
      [DEAD_LETTER_HEADERS.partition]: String(flow.partition),
      [DEAD_LETTER_HEADERS.offset]: String(record.offset),
      [DEAD_LETTER_HEADERS.attempts]: String(attempt),
      [DEAD_LETTER_HEADERS.reason]: reasonOf(error).slice(0, REASON_LENGTH),
    }
    for (let failures = 0; ; failures += 1) {
      try {
        return await this.#options.send(topic, { value: record.value ?? Buffer.alloc(0), headers })
      } catch (failure) {
        this.#options.logger.error('kafka dead-letter topic cannot be written; trying again', {
          topic,
          error: failure,
        })
        emitDiagnostic('oslo-messaging:background-error', () => ({
          source: `dead-letter topic ${topic}`,
          error: failure,
        }))
        await this.#pause(Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS))
      }
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#options.clock.setTimeout(resolve, delayMs)
    })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
