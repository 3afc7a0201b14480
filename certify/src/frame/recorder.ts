import { History, type HistoryEvent } from '@oslo-messaging/conformance/history'

type WithoutTime<Event> = Event extends HistoryEvent ? Omit<Event, 'at'> : never

const MESSAGE_LENGTH = 400

/** Numbers messages, and writes what happens to them into a history, with the time. */
export class Recorder {
  readonly history: History = new History()
  /** How sends were rejected: code, phase, delivery and the broker's code with their number. */
  readonly rejections: Map<string, number> = new Map()
  /** What the first error of each of these said. */
  readonly examples: Map<string, string> = new Map()
  readonly #startedAt: number = performance.now()
  #next = 0

  /** Milliseconds since the history began. */
  get now(): number {
    return performance.now() - this.#startedAt
  }

  /** Messages numbered so far. */
  get messages(): number {
    return this.#next
  }

  /** A number that no other message has. */
  take(): number {
    return this.#next++
  }

  record(event: WithoutTime<HistoryEvent>): void {
    this.history.record({ ...event, at: this.now })
  }

  /** A send rejected with this error. */
  reject(message: number, error: unknown): void {
    const {
      code = String(error),
      phase = '-',
      delivery = 'unknown',
      brokerCode,
      message: text = '',
    } = (error ?? {}) as {
      readonly brokerCode?: string | number
      readonly message?: string
      readonly code?: string
      readonly phase?: string
      readonly delivery?: 'not-sent' | 'unknown' | 'confirmed'
    }
    const kind = `${code} ${phase} ${delivery}${brokerCode === undefined ? '' : ` ${brokerCode}`}`
    if (!this.rejections.has(kind)) this.examples.set(kind, text.slice(0, MESSAGE_LENGTH))
    this.rejections.set(kind, (this.rejections.get(kind) ?? 0) + 1)
    this.record({ kind: 'rejected', message, delivery })
  }
}
