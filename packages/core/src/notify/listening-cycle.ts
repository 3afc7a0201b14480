import type { Listener } from '../driver/driver.ts'
import type { IncomingNotification } from '../driver/messages.ts'
import type { PauseSwitch } from '../server/pause-switch.ts'
import type { WorkerPool } from '../server/worker-pool.ts'
import type { Transport } from '../transport/transport.ts'
import { createDeferred } from '../util/deferred.ts'
import { NotificationFailures } from './failures.ts'
import { handBackOf, type ListenerParts } from './listener-parts.ts'

/** What an endpoint threw; undefined when none did. */
type Outcome = { readonly error: unknown } | undefined

/** One start of a listener: what its failure policy keeps, and its pause. */
export class ListeningCycle {
  readonly failures: NotificationFailures
  readonly #workers: WorkerPool
  readonly #parts: ListenerParts
  readonly #pause: PauseSwitch | undefined
  readonly #ended = createDeferred<void>()
  #listener: Listener | undefined

  /** `again` hands a kept notification to the endpoints once more. */
  constructor(
    transport: Transport,
    parts: ListenerParts,
    workers: WorkerPool,
    again: (incoming: IncomingNotification) => void,
  ) {
    const { policy, allowRequeue, reporter, pausing } = parts
    this.#workers = workers
    this.#parts = parts
    this.#pause = pausing.begin(workers)
    this.failures = new NotificationFailures({
      policy,
      allowRequeue,
      clock: transport.clock,
      reporter,
      again,
      handBack: (incoming) => handBackOf(transport, incoming),
      end: (error) => this.#end(error),
    })
  }

  /** Runs a handler and tells the pause how it ended. */
  run(handle: () => Outcome | Promise<Outcome>): Promise<void> | void {
    const report = this.#pause?.begin()
    const outcome = handle()
    if (!(outcome instanceof Promise)) return report?.(outcome)
    return outcome.then((failure) => report?.(failure))
  }

  /** The listener, whose stop ends this cycle: what is kept is handed back, or handled where the broker has forgotten
   *  it. */
  guard(listener: Listener, beforeStop: () => void = () => {}): Listener {
    this.#listener = listener
    listener.closed.then(this.#ended.resolve, this.#ended.reject)
    return {
      closed: this.#ended.promise,
      backlog: () => listener.backlog?.() ?? [],
      stop: async () => {
        try {
          await listener.stop()
        } finally {
          beforeStop()
          this.failures.stop()
          // Before the pause lets the pool go: what can be handed back must not start.
          this.#workers.handBackWaiting()
          this.#parts.pausing.end(this.#pause)
        }
      },
      close: () => listener.close(),
    }
  }

  #end(reason: unknown): void {
    this.#ended.reject(reason)
    void this.#stopIntake()
  }

  async #stopIntake(): Promise<void> {
    try {
      await this.#listener?.stop()
    } catch (error) {
      this.#parts.reporter.failed(error)
    }
  }
}
