import {
  type ComponentHealth,
  createBackoff,
  createDeferred,
  Deadline,
  type DriverContext,
  DuplicateCache,
  type Listener,
  reportState,
  Supervisor,
} from '@oslo-messaging/core/driver'
import type { Addressing } from '../topology/addressing.ts'
import { ListenerLinks, type Incoming } from './listener-links.ts'
import type { AmqpOptions } from '../config.ts'
import type { AmqpConnection } from '../topology/amqp-connection.ts'
import type { ListenerSource } from '../connection/links.ts'
import { classify } from '../connection/map-error.ts'
import { NoRoom } from '../connection/session-pool.ts'

const ATTACH_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 100

export interface LinkListenerOptions {
  /** For health and diagnostics. */
  readonly name: string
  /** Addresses to attach to, after making what they need. Asked again after each loss. */
  readonly sources: (addressing: Addressing, deadline: Deadline) => Promise<readonly ListenerSource[]>
  /** Links it will have. */
  readonly links: number
  /** Bytes of a message; larger ones are refused. */
  readonly maxMessageSize: number
  /** Credit of each link. */
  readonly credit: number
  /** Most messages given to `onMessage` and not settled. */
  readonly prefetch: number
  readonly onMessage: (incoming: Incoming) => void
}

/** Receivers on several addresses, in a session of their own, so that one stuck delivery starves nobody else; kept
 *  attached through every loss. */
export class LinkListener implements Listener {
  readonly closed: Promise<void>
  readonly #options: LinkListenerOptions
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #supervisor: Supervisor
  readonly #end = createDeferred<void>()
  readonly #accepted: DuplicateCache
  #links: ListenerLinks | undefined
  #wasAttached = false
  #isStopped = false
  #closing: Promise<void> | undefined

  constructor(connection: AmqpConnection, context: DriverContext<AmqpOptions>, options: LinkListenerOptions) {
    this.#connection = connection
    this.#context = context
    this.#options = options
    // As much as credit lets in may be accepted before the peer reads the first of it, and as much again be on its way.
    this.#accepted = new DuplicateCache(2 * options.credit * options.links)
    this.closed = this.#end.promise
    this.closed.catch(() => {})
    const { random, clock } = context
    const maxMs = context.options.link_retry_delay * 1000
    const report = reportState({ driver: 'amqp', kind: 'listener', name: options.name, logger: context.logger })
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      // What the peer has no room for when it is first asked is refused early; later on it is what was there before,
      // and comes back.
      classify: (error) => (error instanceof NoRoom && !this.#wasAttached ? 'fatal' : classify(error)),
      backoff: createBackoff({ initialMs: FIRST_RETRY_MS, factor: 2, maxMs, random }),
      upState: 'consuming',
      clock,
      onChange: (change) => {
        report(change)
        if (change.state === 'failed') this.#end.reject(change.error)
      },
    })
  }

  /** Attaches. Resolves when the peer has every link; closes itself when it rejects. */
  async start(deadline: Deadline): Promise<this> {
    try {
      await this.#supervisor.ready(deadline, {
        phase: 'declare',
        delivery: 'not-sent',
        waitingFor: `subscription of ${this.#options.name}`,
      })
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  health(): ComponentHealth {
    return this.#supervisor.health('listener', this.#options.name)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#links?.stop()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#supervisor.close()
    const links = this.#links
    this.#links = undefined
    await links?.close()
    this.#end.resolve()
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { attaching } = this.#connection
    await attaching.acquire(0, Deadline.after(null, { signal, clock: this.#context.clock }))
    try {
      await this.#attach(signal)
    } finally {
      attaching.release(0)
    }
  }

  async #attach(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context
    const live = await this.#connection.live(Deadline.after(null, { signal, clock }), null)
    const deadline = Deadline.after(ATTACH_TIMEOUT_MS, { signal, clock })
    const session = await live.connection.openSession('own', this.#options.links)
    const tellsFirstAcquirer = live.addressing.tellsFirstAcquirer === true
    const options = { ...this.#options, clock, tellsFirstAcquirer, accepted: this.#accepted }
    const links = new ListenerLinks(session, options, (error) => {
      if (this.#links === links) this.#links = undefined
      this.#supervisor.lost(error)
    })
    // A listener that is stopped keeps its links, for what it was given before, and gives no credit.
    if (this.#isStopped) void links.stop()
    try {
      const sources = await this.#options.sources(live.addressing, deadline)
      await links.attach(sources, deadline)
      signal.throwIfAborted()
    } catch (error) {
      await links.close()
      throw error
    }
    this.#links = links
    this.#wasAttached = true
    if (this.#isStopped) void links.stop()
  }
}
