import { isMessagingError } from '@oslo-messaging/core'
import type { SimulatedEvent } from './event.ts'

/** How one message ended. */
export interface Sending {
  readonly message: number
  resolved(answer?: unknown): void
  rejected(error: unknown): void
}

/** Numbers the messages of one worker and tells what becomes of them. With `step` workers, the numbers of one are
 *  `first`, `first + step`, and so on, so that none is used twice. */
export class Journal {
  readonly #now: () => number
  readonly #emit: (event: SimulatedEvent) => void
  readonly #step: number
  #next: number

  constructor(
    now: () => number,
    emit: (event: SimulatedEvent) => void,
    { first, step }: { readonly first: number; readonly step: number } = { first: 0, step: 1 },
  ) {
    this.#now = now
    this.#emit = emit
    this.#next = first
    this.#step = step
  }

  /** Begins one message; what is returned tells how it ended. */
  begin(place: string, dueInMs: number): Sending {
    const message = this.#next
    const sentAt = this.#now()
    this.#next += this.#step
    this.#emit({ kind: 'sent', at: sentAt, message, place, dueAt: sentAt + dueInMs })
    return {
      message,
      resolved: (answer) => {
        const at = this.#now()
        if (typeof answer === 'number' || typeof answer === 'bigint')
          this.#emit({ kind: 'replied', at, message, answer: Number(answer) })
        this.#emit({ kind: 'resolved', at, message })
      },
      rejected: (error) => {
        const delivery = isMessagingError(error) ? (error.delivery ?? 'unknown') : 'unknown'
        const name = error instanceof Error ? `${error.name}, ${delivery}` : String(error)
        this.#emit({ kind: 'rejected', at: this.#now(), message, delivery, name })
      },
    }
  }

  handled(message: number, reader: string, member: string, redelivered: boolean): void {
    const at = this.#now()
    this.#emit({ kind: 'handled', at, message, reader, member, redelivered })
    this.#emit({ kind: 'settled', at, message, reader })
  }
}
