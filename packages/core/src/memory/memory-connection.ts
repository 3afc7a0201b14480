import { emitDiagnostic } from '../diagnostics/channels.ts'
import type { ComponentHealth, ComponentState } from '../driver/health.ts'
import { BackpressureError, ClosedError } from '../errors.ts'
import type { Clock } from '../util/clock.ts'
import type { Deadline } from '../util/deadline.ts'
import { createDeferred, type Deferred } from '../util/deferred.ts'

/** One thing with a state that health reports and diagnostics tell of. */
export class MemoryComponent {
  readonly #kind: ComponentHealth['kind']
  readonly #name: string
  readonly #clock: Clock
  #state: ComponentState = 'starting'
  #sinceMs: number
  #reason: string | undefined

  constructor(kind: ComponentHealth['kind'], name: string, clock: Clock) {
    this.#kind = kind
    this.#name = name
    this.#clock = clock
    this.#sinceMs = clock.wallTime()
  }

  get state(): ComponentState {
    return this.#state
  }

  get health(): ComponentHealth {
    const facts = { kind: this.#kind, name: this.#name, state: this.#state, sinceMs: this.#sinceMs }
    return this.#reason === undefined ? facts : { ...facts, reason: this.#reason }
  }

  enter(state: ComponentState, error?: Error): void {
    if (state === this.#state) return
    const previous = this.#state
    this.#state = state
    this.#sinceMs = this.#clock.wallTime()
    this.#reason = error?.message
    emitDiagnostic('oslo-messaging:state', () => ({
      driver: 'memory',
      kind: this.#kind,
      name: this.#name,
      state,
      previous,
      ...(error === undefined ? {} : { error }),
      attempt: 0,
    }))
  }
}

/** Sends that may wait for the way to open; what waits takes memory. */
const MAX_WAITING = 16_384

/** The way of one driver to its broker. It is up unless a fault cuts or blocks it. */
export class MemoryConnection {
  readonly #component: MemoryComponent
  #used = false
  #down = false
  #blocked: string | null = null
  #closed = false
  #open: Deferred<void> | undefined
  #waiting = 0

  constructor(name: string, clock: Clock) {
    this.#component = new MemoryComponent('connection', name, clock)
  }

  /** Nothing keeps a message from leaving now. The first look counts as connecting. */
  get isOpen(): boolean {
    if (!this.#used && !this.#closed) {
      this.#used = true
      this.#enter()
    }
    return this.#open === undefined && !this.#closed
  }

  get isDown(): boolean {
    return this.#down
  }

  get health(): readonly ComponentHealth[] {
    return this.#used || this.#closed ? [this.#component.health] : []
  }

  /** Resolves when open; rejects at the deadline, with ClosedError, or with BackpressureError when too many wait. */
  async whenOpen(deadline: Deadline): Promise<void> {
    if (this.isOpen) return
    if (this.#waiting >= MAX_WAITING)
      throw new BackpressureError(
        `${this.#waiting} messages wait for the broker: await some of them before sending more`,
      )
    this.#waiting += 1
    try {
      while (!this.isOpen) {
        if (this.#open === undefined) throw new ClosedError('The in-process driver is closed')
        await deadline.race(this.#open.promise, {
          phase: this.#down ? 'connect' : 'publish',
          delivery: 'not-sent',
        })
      }
    } finally {
      this.#waiting -= 1
    }
  }

  setDown(down: boolean): void {
    this.#down = down
    this.#update()
  }

  setBlocked(reason: string | null): void {
    this.#blocked = reason
    this.#update()
  }

  close(): void {
    this.#closed = true
    this.#component.enter('closed')
    this.#open?.reject(new ClosedError('The in-process driver was closed while a send waited'))
    this.#open = undefined
  }

  #update(): void {
    if (this.#closed) return
    this.#used = true
    this.#enter()
    if (this.#down || this.#blocked !== null) {
      if (this.#open !== undefined) return
      this.#open = createDeferred<void>()
      // Nobody may be waiting when it is closed.
      this.#open.promise.catch(() => undefined)
      return
    }
    this.#open?.resolve()
    this.#open = undefined
  }

  #enter(): void {
    if (this.#down) this.#component.enter('recovering', new Error('The connection was cut'))
    else if (this.#blocked !== null) this.#component.enter('blocked', new Error(this.#blocked))
    else this.#component.enter('connected')
  }
}
