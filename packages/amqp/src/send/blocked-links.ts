import {
  type Clock,
  type ComponentHealth,
  type ComponentState,
  emitDiagnostic,
  TransportDriverError,
} from '@oslo-messaging/core/driver'

/** Sender links the peer gives no credit to, which is what the publisher's health says: `blocked` while there is
 *  one. */
export class BlockedLinks {
  readonly #clock: Clock
  readonly #reasons = new Map<string, string>()
  #state: ComponentState = 'connected'
  #sinceMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.wallTime()
  }

  /** Null: the link is blocked no more. */
  set(link: string, reason: string | null): void {
    if (reason === null) this.#reasons.delete(link)
    else this.#reasons.set(link, reason)
    this.#tell(reason)
  }

  /** The links are gone, and those that come are not blocked. */
  clear(): void {
    this.#reasons.clear()
    this.#tell(null)
  }

  health(): ComponentHealth {
    const [reason] = this.#reasons.values()
    const common = { kind: 'publisher', name: 'publisher', state: this.#state, sinceMs: this.#sinceMs } as const
    return reason === undefined ? common : { ...common, reason }
  }

  #tell(reason: string | null): void {
    const state = this.#reasons.size > 0 ? 'blocked' : 'connected'
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    this.#sinceMs = this.#clock.wallTime()
    emitDiagnostic('oslo-messaging:state', () => ({
      driver: 'amqp',
      kind: 'publisher',
      name: 'publisher',
      state,
      previous,
      attempt: 0,
      ...(reason === null ? {} : { error: new TransportDriverError(reason, { retryable: true }) }),
    }))
  }
}
