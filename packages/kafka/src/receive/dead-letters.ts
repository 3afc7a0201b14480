import { FAILURE_HEADERS, type FailureFacts } from '@oslo-messaging/core/driver'
import type { FetchedRecord, OutgoingRecord } from '../port/client-port.ts'
import type { PartitionFlow } from '../positions/partition-flow.ts'
import { storedHeaders } from '../wire/record.ts'

/** Headers of a record in a dead-letter topic whose names begin so tell of the burial; its key, its value and its other
 *  headers are the original's, byte for byte. */
export const BURIAL_PREFIX = 'x-oslo-'

export interface DeadLettersOptions {
  /** null: `<topic>.dead` beside each topic. */
  readonly topic: string | null
  /** Stores a record; resolves when the broker owns it. */
  readonly send: (topic: string, record: OutgoingRecord) => Promise<void>
}

/** Keeps notifications that could not be handled. */
export class DeadLetters {
  readonly #options: DeadLettersOptions

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** Stores a copy with the reason. Rejects when the broker does not take it. */
  async bury({ topic, partition }: PartitionFlow, record: FetchedRecord, failure: FailureFacts): Promise<void> {
    const headers = {
      ...storedHeaders(record),
      ...failure.headers,
      [FAILURE_HEADERS.origin]: topic,
      [`${BURIAL_PREFIX}partition`]: String(partition),
      [`${BURIAL_PREFIX}offset`]: String(record.offset),
      // Not the dead letter's own time: retention counts from that.
      [`${BURIAL_PREFIX}timestamp`]: String(record.timestamp),
    }
    await this.#options.send(this.#options.topic ?? deadLetterTopicOf(topic), {
      key: record.key,
      value: record.value,
      headers,
    })
  }
}

/** Where the letters of a topic go when no topic is configured. */
export const deadLetterTopicOf = (topic: string): string => `${topic}.dead`
