import {
  type ComponentHealth,
  createBackoff,
  createDeferred,
  Deadline,
  type DriverContext,
  emitDiagnostic,
  type Listener,
  Supervisor,
} from '@oslo-messaging/core/driver'
import {
  type Delivery,
  type EventContext,
  type Message,
  type Receiver,
  type Session,
  settle,
  wrapDeliveryCount,
} from './client.ts'
import type { Addresser } from './addresser.ts'
import type { AmqpOptions } from './config.ts'
import type { AmqpConnection } from './connection.ts'
import { openReceiver } from './links.ts'
import { classify } from './map-error.ts'

const ATTACH_TIMEOUT_MS = 10_000

/** One message as it came in, and how to end it. Each of the settling calls counts once, the first one. */
export interface Incoming {
  readonly message: Message
  readonly signal: AbortSignal
  readonly accept: () => void
  readonly release: () => void
  /** Refuses it for good: the peer dead-letters it where it can. */
  readonly unreadable: (error: unknown) => void
}

export interface LinkListenerOptions {
  /** For health and diagnostics. */
  readonly name: string
  readonly addresses: (addresser: Addresser) => readonly string[]
  /** Credit of each link. */
  readonly credit: number
  /** Most messages given to `onMessage` and not settled. */
  readonly prefetch: number
  readonly onMessage: (incoming: Incoming) => void
}

/** Receivers on several addresses, in a session of their own, so that one stuck delivery starves nobody else; kept attached through every loss.
 *  Credit is topped up only as messages are settled. */
export class LinkListener implements Listener {
  readonly closed: Promise<void>
  readonly #options: LinkListenerOptions
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #supervisor: Supervisor
  readonly #end = createDeferred<void>()
  #attached: Attached | undefined
  #stopped = false

  constructor(connection: AmqpConnection, context: DriverContext<AmqpOptions>, options: LinkListenerOptions) {
    this.#connection = connection
    this.#context = context
    this.#options = options
    this.closed = this.#end.promise
    this.closed.catch(() => {})
    const { random, clock } = context
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify,
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: context.options.link_retry_delay * 1000, random }),
      upState: 'consuming',
      clock,
      onChange: (change) => {
        emitDiagnostic('oslo-messaging:state', () => ({
          driver: 'amqp',
          kind: 'listener',
          name: options.name,
          ...change,
        }))
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
    const { state, sinceMs, reason } = this.#supervisor
    return { kind: 'listener', name: this.#options.name, state, sinceMs, ...(reason === undefined ? {} : { reason }) }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#attached?.stop()
  }

  async close(): Promise<void> {
    await this.stop()
    this.#supervisor.close()
    this.#attached?.close()
    this.#attached = undefined
    this.#end.resolve()
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context
    const live = await this.#connection.live(Deadline.after(null, { signal, clock }))
    const session = await live.connection.openSession()
    const attached = new Attached(session, this.#options)
    let isLost = false
    const lost = (error: Error): void => {
      if (isLost) return
      isLost = true
      if (this.#attached === attached) this.#attached = undefined
      attached.lost()
      this.#supervisor.lost(error)
    }
    live.connection.onLost(lost)
    session.on('session_close', () => lost(new Error('the session was ended')))
    try {
      await attached.attach(
        this.#options.addresses(live.addresser),
        lost,
        Deadline.after(ATTACH_TIMEOUT_MS, { signal, clock }),
      )
    } catch (error) {
      isLost = true
      attached.close()
      throw error
    }
    this.#attached = attached
    if (this.#stopped) attached.stop()
  }
}

/** The links of one attachment; thrown away with it. */
class Attached {
  readonly #session: Session
  readonly #options: LinkListenerOptions
  readonly #receivers: Receiver[] = []
  /** Messages beyond the prefetch: several links have credit of their own, and the limit is for all of them together. */
  readonly #held: { readonly receiver: Receiver; readonly delivery: Delivery; readonly message: Message }[] = []
  readonly #given = new Map<Delivery, AbortController>()
  readonly #settledSinceCredit = new Map<Receiver, number>()
  #stopped = false

  constructor(session: Session, options: LinkListenerOptions) {
    this.#session = session
    this.#options = options
  }

  async attach(addresses: readonly string[], onLost: (error: Error) => void, deadline: Deadline): Promise<void> {
    const receivers = await Promise.all(
      addresses.map((address) =>
        openReceiver(
          this.#session,
          { address, target: address, onClosed: onLost, onMessage: (context) => this.#onMessage(context) },
          deadline,
        ),
      ),
    )
    // Credit comes last, so that nothing arrives before every link is there.
    for (const receiver of receivers) {
      this.#receivers.push(receiver)
      this.#settledSinceCredit.set(receiver, 0)
      receiver.add_credit(this.#options.credit)
    }
  }

  /** Takes the credit back; what is under way already is released as it comes. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const { delivery } of this.#held.splice(0)) settle(delivery, 'release')
    for (const receiver of this.#receivers) receiver.drain_credit()
  }

  close(): void {
    this.stop()
    for (const [delivery, controller] of this.#given) {
      settle(delivery, 'release')
      controller.abort()
    }
    this.#given.clear()
    this.#session.close()
  }

  /** The peer has taken everything back by itself. */
  lost(): void {
    this.#stopped = true
    this.#held.length = 0
    for (const controller of this.#given.values()) controller.abort()
    this.#given.clear()
  }

  #onMessage({ receiver, delivery, message }: EventContext): void {
    if (receiver === undefined || delivery === undefined || message === undefined) return
    wrapDeliveryCount(receiver)
    if (this.#stopped) return settle(delivery, 'release')
    if (this.#given.size >= this.#options.prefetch) this.#held.push({ receiver, delivery, message })
    else this.#give(receiver, delivery, message)
  }

  #give(receiver: Receiver, delivery: Delivery, message: Message): void {
    const controller = new AbortController()
    this.#given.set(delivery, controller)
    const end = (how: 'accept' | 'release' | 'unreadable'): void => {
      if (!this.#given.delete(delivery)) return
      settle(delivery, how)
      this.#topUp(receiver)
      const next = this.#stopped ? undefined : this.#held.shift()
      if (next !== undefined) this.#give(next.receiver, next.delivery, next.message)
    }
    this.#options.onMessage({
      message,
      signal: controller.signal,
      accept: () => end('accept'),
      release: () => end('release'),
      unreadable: (error) => {
        emitDiagnostic('oslo-messaging:message-dropped', () => ({
          driver: 'amqp',
          source: this.#options.name,
          reason: 'unreadable',
          error,
        }))
        end('unreadable')
      },
    })
  }

  #topUp(receiver: Receiver): void {
    if (this.#stopped) return
    const settled = (this.#settledSinceCredit.get(receiver) ?? 0) + 1
    const isHalf = settled * 2 >= this.#options.credit
    this.#settledSinceCredit.set(receiver, isHalf ? 0 : settled)
    if (isHalf) receiver.add_credit(settled)
  }
}
