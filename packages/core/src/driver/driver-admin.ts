import { isMessagingError, type MessagingError, TransportDriverError } from '../errors.ts'
import { errorText } from '../util/text.ts'
import type { Deadline } from '../util/deadline.ts'

/** What an operator can do to the broker behind one URL. Made when it is needed, used by one caller, then closed; it
 *  needs no transport and serves none.
 *  A method that is left out does not exist at this broker, and core says so in the driver's name. */
export interface DriverAdmin {
  /** Moves dead letters back to where they failed, as they were before they were buried: body byte for byte, without
   *  the headers that tell of the burial, attempts counted from the start.
   *  A letter is taken away only after the broker has confirmed the copy. One that does not say where it came from
   *  stays and is counted as skipped, with the reason.
   *  A run ends at the letters that were there when it began, so that those which fail again at once do not circle.
   *  Rejects: with what ended the run early, and how many had been moved by then (`RedriveTally.interrupted`); the rest
   *  is where it was. */
  redrive?(request: RedriveRequest): Promise<RedriveReport>

  /** The queues this URL's virtual host has, by name. Rejects when the broker cannot be asked, with the remedy. */
  queues?(request: QueuesRequest): Promise<readonly QueueReport[]>

  /** Removes a pool and what is kept for it, when nobody listens to it. Resolves false when there is none; rejects
   *  while somebody listens. */
  removePool?(request: RemovePoolRequest): Promise<boolean>

  /** Connects and logs in, declares nothing, and resolves with what the broker says of itself. Rejects with why it
   *  takes nobody. */
  check?(request: CheckRequest): Promise<BrokerFacts>

  /** Looks at what messages to these topics need of the broker: whether it keeps them, whether this process can write
   *  them. Changes nothing. What may not be asked is a finding; rejects when the broker cannot be reached. */
  examine?(request: ExamineRequest): Promise<readonly BrokerFinding[]>

  /** Disconnects. Idempotent, never rejects. */
  close(): Promise<void>
}

/** What is looked at. */
export interface ExamineRequest {
  /** By the broker's own names: `notifications.info`. */
  readonly topics: readonly string[]
  readonly deadline: Deadline
}

/** One thing that was looked at, for people. */
export interface BrokerFinding {
  readonly severity: 'error' | 'warning' | 'note' | 'ok'
  /** What was looked at: `min.insync.replicas`. */
  readonly check: string
  readonly what: string
  /** Why it matters; empty where there is nothing to mend. */
  readonly why: string
  /** What to do about it. */
  readonly fix: string
}

/** How long to try. */
export interface CheckRequest {
  readonly deadline: Deadline
}

/** What a broker says of itself. */
export interface BrokerFacts {
  /** `RabbitMQ`. */
  readonly product: string
  /** null: it does not say. */
  readonly version: string | null
}

/** Which pool to remove. */
export interface RemovePoolRequest {
  readonly pool: string
  readonly deadline: Deadline
}

/** Which dead letters to move. */
export interface RedriveRequest {
  /** The queue, topic or address a listener reads, or the dead-letter queue itself, by the broker's own names. */
  readonly source: string
  /** Moves everything there instead of where it came from. null: each where it came from. */
  readonly to: string | null
  /** Most letters moved; null: all that are there. */
  readonly limit: number | null
  /** Says what would be moved, and moves nothing. */
  readonly dryRun: boolean
  /** Bounds the whole run. */
  readonly deadline: Deadline
}

/** What became of the dead letters. */
export interface RedriveReport {
  /** Moved, or with `dryRun` movable. */
  readonly moved: number
  /** Letters that were there when the run began and still are; null when the broker does not tell. */
  readonly left: number | null
  /** Looked at and left where they are. */
  readonly skipped: readonly SkippedLetters[]
}

/** Letters left where they are for one reason. */
export interface SkippedLetters {
  readonly reason: string
  readonly count: number
}

/** How to ask for the queues. */
export interface QueuesRequest {
  /** Base URL of the broker's management interface; null: where it usually is, seen from the transport URL. */
  readonly management: string | null
  readonly deadline: Deadline
}

/** One queue as the broker has it. */
export interface QueueReport {
  readonly name: string
  /** Messages in it, delivered and unsettled ones included. */
  readonly messages: number
  /** Bytes of their bodies; null when the broker does not tell. */
  readonly bytes: number | null
  readonly consumers: number
  /** Nobody reads it, and it holds messages or is made to. */
  readonly orphan: boolean
  /** Why it is an orphan, or why it is none although nobody reads it; null for a queue that is read. */
  readonly why: string | null
  /** Messages a second into it and out of it, as the broker counts them; absent where it does not tell. */
  readonly rates?: { readonly in: number; readonly out: number }
}

/** Counts what becomes of dead letters. */
export class RedriveTally {
  readonly #skipped = new Map<string, number>()
  #moved = 0

  get moved(): number {
    return this.#moved
  }

  move(): void {
    this.#moved += 1
  }

  skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1)
  }

  report(left: number | null): RedriveReport {
    return { moved: this.#moved, left, skipped: [...this.#skipped].map(([reason, count]) => ({ reason, count })) }
  }

  /** The error of a run that ended early: the same kind of failure, and what is known of the letters. One that ended
   *  before it moved anything fails as it did. */
  interrupted(error: unknown): MessagingError {
    if (this.#moved === 0 && isMessagingError(error)) return error
    return new TransportDriverError(
      `${errorText(error)} (dead letters moved before that: ${this.#moved}; the rest is where it was)`,
      {
        cause: error,
        retryable: !isMessagingError(error) || error.retryable,
      },
    )
  }
}
