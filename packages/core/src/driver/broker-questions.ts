import { TransportDriverError } from '../errors.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { Deadline, type WaitFacts } from '../util/deadline.ts'

/** One patience for all questions to a broker. */
export interface BrokerQuestionsOptions {
  /** Milliseconds that any answer may take. */
  readonly patienceMs: number
  /** Called when an answer did not come in time: give the connection up (`Supervisor.lost`), because whoever answers
   *  one question late may answer none. Must not throw. */
  readonly onSilence: (error: TransportDriverError) => void
  readonly clock?: Clock
}

/** Questions to the broker: declare, subscribe, ask for a position. None of them waits longer than the patience, so
 *  that one lost answer holds nothing up for good, and none longer than the caller's deadline. */
export class BrokerQuestions {
  readonly #options: BrokerQuestionsOptions
  #open = 0

  constructor(options: BrokerQuestionsOptions) {
    this.#options = options
  }

  /** Questions without an answer. */
  get open(): number {
    return this.#open
  }

  /** Asks. `what` completes "no answer to ...". Resolves and rejects as `question` does; rejects with
   *  TransportDriverError (retryable) after the patience, with MessagingTimeout at `deadline` when that is earlier. */
  async ask<T>(what: string, question: () => Promise<T>, deadline?: Deadline, facts: WaitFacts = DECLARE): Promise<T> {
    const { patienceMs, onSilence, clock = systemClock } = this.#options
    deadline?.check(facts)
    const patience = Deadline.after(patienceMs, { clock })
    const asked = question()
    this.#open += 1
    const answered = (): void => void (this.#open -= 1)
    asked.then(answered, answered)
    const patient = patience.race(asked, facts).catch((error: unknown) => {
      if (!patience.expired || !isTimeout(error)) throw error
      const silence = new TransportDriverError(`The broker gave no answer to ${what} within ${patienceMs} ms`, {
        cause: error,
        retryable: true,
        phase: facts.phase,
        delivery: facts.delivery,
      })
      onSilence(silence)
      throw silence
    })
    return await (deadline === undefined ? patient : deadline.race(patient, facts))
  }
}

const DECLARE: WaitFacts = { phase: 'declare', delivery: 'not-sent' }

function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'OSLO_MESSAGING_TIMEOUT'
}
