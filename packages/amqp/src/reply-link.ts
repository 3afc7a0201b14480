import {
  type ComponentHealth,
  createBackoff,
  Deadline,
  type DriverContext,
  emitDiagnostic,
  ReplyPathLost,
  ReplyWaiters,
  Supervisor,
} from '@oslo-messaging/core/driver'
import { type EventContext, type Receiver, settle, wrapDeliveryCount } from './client.ts'
import type { AmqpOptions } from './config.ts'
import type { AmqpConnection } from './connection.ts'
import { openReceiver } from './links.ts'
import { classify } from './map-error.ts'
import { decodeReply } from './message.ts'

const ATTACH_TIMEOUT_MS = 10_000

/** Where replies come in: one receiver whose address the peer makes up, and the calls that wait. The address changes with each connection, so a call whose
 *  request carries an old one cannot be answered any more: it ends as ReplyPathLost instead of waiting out its time. */
export class ReplyLink {
  readonly waiters: ReplyWaiters
  readonly #connection: AmqpConnection
  readonly #context: DriverContext<AmqpOptions>
  readonly #supervisor: Supervisor
  #receiver: Receiver | undefined
  #address: string | undefined
  #handled = 0

  constructor(connection: AmqpConnection, context: DriverContext<AmqpOptions>) {
    this.#connection = connection
    this.#context = context
    this.waiters = new ReplyWaiters(context.clock)
    const { options, random, clock } = context
    this.#supervisor = new Supervisor({
      establish: (signal) => this.#establish(signal),
      classify,
      backoff: createBackoff({ initialMs: 100, factor: 2, maxMs: options.link_retry_delay * 1000, random }),
      upState: 'consuming',
      clock,
      onChange: (change) =>
        emitDiagnostic('oslo-messaging:state', () => ({
          driver: 'amqp',
          kind: 'reply-path',
          name: 'replies',
          ...change,
        })),
    })
  }

  /** The address replies are to be sent to. Attaches first if need be. */
  async address(deadline: Deadline): Promise<string> {
    if (this.#address !== undefined) return this.#address
    await this.#supervisor.ready(deadline, {
      phase: 'declare',
      delivery: 'not-sent',
      waitingFor: 'address for replies',
    })
    return this.#address ?? (await this.address(deadline))
  }

  health(): ComponentHealth {
    const { state, sinceMs, reason } = this.#supervisor
    return { kind: 'reply-path', name: 'replies', state, sinceMs, ...(reason === undefined ? {} : { reason }) }
  }

  close(error: () => Error): void {
    this.#supervisor.close()
    this.#receiver?.close()
    this.#receiver = undefined
    this.waiters.failAll(error)
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const { clock, options } = this.#context
    const deadline = Deadline.after(ATTACH_TIMEOUT_MS, { signal, clock })
    const { connection } = await this.#connection.live(Deadline.after(null, { signal, clock }))
    const session = await connection.openSession()
    let isLost = false
    const lost = (error: Error): void => {
      if (isLost) return
      isLost = true
      this.#address = undefined
      this.#receiver = undefined
      this.waiters.failAll(() => new ReplyPathLost(`The link for replies was lost: ${error.message}`, { cause: error }))
      this.#supervisor.lost(error)
    }
    connection.onLost(lost)
    session.on('session_close', () => lost(new Error('the session was ended')))
    const receiver = await openReceiver(
      session,
      { address: null, target: 'rpc-response', onClosed: lost, onMessage: (context) => this.#onReply(context) },
      deadline,
    )
    receiver.add_credit(options.reply_link_credit)
    this.#handled = 0
    this.#receiver = receiver
    this.#address = String((receiver.source as { readonly address?: unknown }).address)
  }

  #onReply(context: EventContext): void {
    const { delivery, message, receiver } = context
    if (delivery === undefined || message === undefined || receiver === undefined) return
    wrapDeliveryCount(receiver)
    const id = String(message.correlation_id ?? '')
    let known = false
    try {
      const reply = decodeReply(message.body)
      known = reply === 'heartbeat' ? this.waiters.heartbeat(id) : this.waiters.settle(id, reply)
      if (!known) this.#dropped('late-reply', id)
    } catch (error) {
      known = this.waiters.fail(id, error)
      this.#dropped('unreadable', id, error)
    }
    settle(delivery, known ? 'accept' : 'not-mine')
    this.#handled += 1
    const { reply_link_credit: credit } = this.#context.options
    if (this.#handled * 2 >= credit) {
      receiver.add_credit(this.#handled)
      this.#handled = 0
    }
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
