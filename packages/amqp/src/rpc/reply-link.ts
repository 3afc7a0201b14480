import {
  ClosedError,
  type ComponentHealth,
  createBackoff,
  Deadline,
  type DriverContext,
  emitDiagnostic,
  ReplyPathLost,
  reportState,
  ReplyWaiters,
  Supervisor,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { AmqpOptions } from '../config.ts'
import type { AmqpConnection, Live } from '../topology/amqp-connection.ts'
import { DYNAMIC, openReceiver } from '../connection/links.ts'
import { classify } from '../connection/map-error.ts'
import type { Settlement } from '../session/delivery-state.ts'
import type { Delivery, ReceiverLink } from '../session/receiver-link.ts'
import { decodeReply } from '../wire/message.ts'
import { bodyOf, readMessage } from '../wire/read-message.ts'

const ATTACH_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 100
/** Replies of so long a time are accepted together: nobody waits for that, and the peer has as much to do for one range
 *  of them as for one alone. */
const GATHER_MS = 50

/** Where replies come in: one receiver whose address belongs to this connection alone, and the calls that wait. The
 *  address changes with each connection, so a call whose request carries an old one cannot be answered any more: it
 *  ends as ReplyPathLost instead of waiting out its time. */
export class ReplyLink {
  readonly waiters: ReplyWaiters
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #supervisor: Supervisor
  readonly #maxMessageSize: number
  #current: { readonly receiver: ReceiverLink; readonly address: string } | undefined
  #handled = 0
  /** Taken, and not yet accepted towards the peer. */
  #taken: Delivery[] = []
  #acceptLater: unknown

  /** `maxMessageSize`: bytes of a reply. */
  constructor(connection: AmqpConnection, context: DriverContext<AmqpOptions>, maxMessageSize: number) {
    this.#maxMessageSize = maxMessageSize
    this.#connection = connection
    this.#context = context
    this.waiters = new ReplyWaiters(context.clock)
    const { options, random, clock, logger } = context
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify,
      backoff: createBackoff({ initialMs: FIRST_RETRY_MS, factor: 2, maxMs: options.link_retry_delay * 1000, random }),
      upState: 'consuming',
      clock,
      onChange: reportState({ driver: 'amqp', kind: 'reply-path', name: 'replies', logger }),
    })
  }

  /** The address replies are to be sent to, when it is there. */
  get current(): string | undefined {
    return this.#current?.address
  }

  /** The address replies are to be sent to. Attaches first if need be. Rejects at the deadline, or with
   *  MessageDeliveryFailure when more than `retries` attempts have failed. */
  async address(deadline: Deadline, retries: number | null): Promise<string> {
    for (;;) {
      if (this.#current !== undefined) return this.#current.address
      await this.#supervisor.ready(
        deadline,
        { phase: 'declare', delivery: 'not-sent', waitingFor: 'address for replies' },
        { retries },
      )
    }
  }

  /** Lets the peer send a reply to each call that waits, and to one more. Some peers drop replies that they have no
   *  credit for: routers whose queue of settled messages is full. Call it before a request is sent. */
  makeRoom(): void {
    const receiver = this.#current?.receiver
    if (receiver === undefined || receiver.credit > this.waiters.size) return
    receiver.addCredit(this.#context.options.reply_link_credit)
  }

  health(): ComponentHealth {
    return this.#supervisor.health('reply-path', 'replies')
  }

  close(error: () => Error): void {
    this.#supervisor.close()
    this.#acceptTaken()
    this.#current?.receiver.leave()
    this.#current = undefined
    this.waiters.failAll(error)
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { clock, options } = this.#context
    const live = await this.#connection.live(Deadline.after(null, { signal, clock }), null)
    const deadline = Deadline.after(ATTACH_TIMEOUT_MS, { signal, clock })
    const peerSession = await live.connection.openSession()
    let over: Error | undefined
    const lost = (error: Error): void => {
      if (over !== undefined) return
      over = error
      this.#current = undefined
      this.#forgetTaken()
      this.waiters.failAll(
        (_id, progress) =>
          new ReplyPathLost(`The link for replies was lost: ${error.message}`, {
            cause: error,
            delivery: progress?.delivery ?? 'unknown',
          }),
      )
      void peerSession.close()
      this.#supervisor.lost(error)
    }
    try {
      const source = (await live.addressing.replySource?.(deadline)) ?? DYNAMIC
      const opening = openReceiver(
        peerSession.session,
        {
          source,
          target: 'rpc-response',
          maxMessageSize: this.#maxMessageSize,
          onClosed: lost,
          onMessage: (delivery) => this.#onReply(delivery, live),
        },
        deadline,
      )
      const receiver = await peerSession.loss.race(opening)
      // The peer may close a link in the same breath in which it opens it.
      if (over !== undefined) throw over
      const address = typeof source === 'string' ? source : addressOf(receiver)
      if (address === undefined)
        throw new TransportDriverError('The peer attached a link for replies and gave it no address', {
          retryable: true,
        })
      receiver.addCredit(options.reply_link_credit)
      this.#handled = 0
      this.#current = { receiver, address }
      peerSession.loss.on(lost)
    } catch (error) {
      over ??= new ClosedError('The link was given up')
      void peerSession.close()
      throw error
    }
  }

  #onReply(delivery: Delivery, live: Live): void {
    const receiver = delivery.link
    let id = ''
    let known = false
    try {
      const message = readMessage(delivery.bytes)
      id = message.correlationId ?? ''
      const reply = decodeReply(bodyOf(message))
      known = reply === 'heartbeat' ? this.waiters.heartbeat(id) : this.waiters.settle(id, reply)
      if (!known) this.#dropped('late-reply', id)
    } catch (error) {
      known = this.waiters.fail(id, error)
      this.#dropped('unreadable', id, error)
    }
    this.#handled += 1
    if (known || live.addressing.supportsModified === false) this.#taken.push(delivery)
    else settle(delivery, 'not-mine')
    const { clock, options } = this.#context
    if (this.#handled * 2 >= options.reply_link_credit) {
      this.#acceptTaken()
      // What was given beyond the option, for many calls at once, is used up and not given back.
      receiver.addCredit(Math.max(options.reply_link_credit, this.waiters.size) - receiver.credit)
      this.#handled = 0
    } else if (this.#taken.length > 0) this.#acceptLater ??= clock.setTimeout(() => this.#acceptTaken(), GATHER_MS)
  }

  #acceptTaken(): void {
    for (const delivery of this.#forgetTaken()) settle(delivery, 'accept')
  }

  #forgetTaken(): Delivery[] {
    this.#context.clock.clearTimeout(this.#acceptLater)
    this.#acceptLater = undefined
    return this.#taken.splice(0)
  }

  #dropped(reason: 'late-reply' | 'unreadable', uniqueId: string, error?: unknown): void {
    emitDiagnostic('oslo-messaging:message-dropped', () => ({
      driver: 'amqp',
      source: 'replies',
      reason,
      uniqueId,
      error,
    }))
  }
}

/** Undefined when the peer has not made one up. */
function addressOf({ source }: ReceiverLink): string | undefined {
  return source?.address === '' ? undefined : source?.address
}

const settle = (delivery: Delivery, how: Settlement): void => delivery.link.settle(delivery, how)
