import type { SimulatedEvent } from './event.ts'
import { Recorder } from './recorder.ts'

/** Takes the events of all workers into one history, and knows what is still owed.
 *  One worker tells in order and is recorded as it goes. Several tell in batches that overlap: theirs are put in order
 *  by the clock that they share, once all have been told. */
export class Collected {
  readonly recorder: Recorder = new Recorder()
  readonly #isLive: boolean
  readonly #owedPlace: string | null
  readonly #waiting: SimulatedEvent[] = []
  readonly #onBus = new Set<number>()
  readonly #handledEarly = new Set<number>()
  readonly #owed = new Set<number>()
  #sent = 0
  #resolved = 0

  /** `owedPlace`: what was resolved there will be handled; null: nothing was promised. */
  constructor(isLive: boolean, owedPlace: string | null) {
    this.#isLive = isLive
    this.#owedPlace = owedPlace
  }

  get sent(): number {
    return this.#sent
  }

  get resolved(): number {
    return this.#resolved
  }

  /** Promised to a listener and not handled yet. */
  get owed(): number {
    return this.#owed.size
  }

  take(events: readonly SimulatedEvent[]): void {
    for (const event of events) {
      this.#note(event)
      if (this.#isLive) this.recorder.take(event)
      else this.#waiting.push(event)
    }
  }

  /** Everything has been told. */
  finish(): Recorder {
    // What was sent stands before whatever became of it, also where two clocks read the same time.
    const rank = ({ kind }: SimulatedEvent): number => (kind === 'sent' ? 0 : 1)
    this.#waiting.sort((one, other) => one.at - other.at || rank(one) - rank(other))
    for (const event of this.#waiting) this.recorder.take(event)
    this.#waiting.length = 0
    return this.recorder
  }

  #note(event: SimulatedEvent): void {
    const { kind, message } = event
    if (kind === 'sent') {
      this.#sent += 1
      if (event.place === this.#owedPlace) this.#onBus.add(message)
      return
    }
    if (kind === 'resolved') this.#resolved += 1
    if (kind === 'resolved' || kind === 'rejected') {
      const wasHandled = this.#handledEarly.delete(message)
      if (this.#onBus.delete(message) && kind === 'resolved' && !wasHandled) this.#owed.add(message)
      return
    }
    if (kind === 'handled' && !this.#owed.delete(message) && this.#owedPlace !== null) this.#handledEarly.add(message)
  }
}
