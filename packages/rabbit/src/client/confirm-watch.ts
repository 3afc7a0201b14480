import type { ChannelInternals } from './internals.ts'
import { NO_ANSWER } from './wait-for-answer.ts'

/** What the watch needs of the connection. */
export interface ConfirmWatchOptions {
  readonly confirmTimeoutMs: number
  readonly blockedReason: string | null
}

/** Notices a confirm that does not come, by one timer for the whole channel: the oldest message without one is looked
 *  at twice in the time that a confirm may take, and has had the whole of it when it was there at the second look
 *  before. */
export class ConfirmWatch {
  readonly #options: ConfirmWatchOptions
  readonly #channel: Pick<ChannelInternals, 'lwm' | 'unconfirmed'>
  readonly #onMissing: (error: Error) => void
  #isRunning = false
  /** The first delivery tag that had not been given at the last looks, the latest first. */
  #next: readonly [last: number, before: number] = NEVER

  constructor(
    options: ConfirmWatchOptions,
    channel: Pick<ChannelInternals, 'lwm' | 'unconfirmed'>,
    onMissing: (error: Error) => void,
  ) {
    this.#options = options
    this.#channel = channel
    this.#onMissing = onMissing
  }

  /** A message was published. Costs nothing while the watch runs. */
  expect(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    setTimeout(() => this.#look(), this.#options.confirmTimeoutMs / 2).unref()
  }

  #look(): void {
    this.#isRunning = false
    const { lwm, unconfirmed } = this.#channel
    if (unconfirmed.length === 0) {
      this.#next = NEVER
      return
    }
    const { blockedReason, confirmTimeoutMs } = this.#options
    if (blockedReason !== null) this.#next = NEVER
    else if (lwm < this.#next[1])
      return this.#onMissing(
        Object.assign(new Error(`No confirm of message ${lwm} of the channel within ${confirmTimeoutMs} ms`), {
          code: NO_ANSWER,
        }),
      )
    else this.#next = [lwm + unconfirmed.length, this.#next[0]]
    this.expect()
  }
}

const NEVER = [0, 0] as const
