import type { Clock, Deadline, DeliveryState } from '@oslo-messaging/core/driver'
import { TransportDriverError } from '@oslo-messaging/core/driver'
import {
  type Delivery,
  type EventContext,
  type Message,
  type Outcome,
  outcomeOf,
  roomOf,
  type Sender,
  type Session,
  settleBeforeSending,
} from './client.ts'
import { openSender } from './links.ts'

interface Waiting {
  readonly message: Message
  readonly preSettled: boolean
  readonly settle: (outcome: Outcome) => void
  readonly fail: (error: Error, delivery: DeliveryState) => void
}

export interface SenderQueueOptions {
  readonly clock: Clock
  /** The link is gone; another has to be opened for the address. */
  readonly onGone: () => void
}

/** One sender link and the messages that wait for its credit. First come, first served. */
export interface SenderQueue {
  /** Resolves with the peer's outcome. Rejects at the deadline or when the link is lost; the error says whether the message had been written. */
  send(message: Message, deadline: Deadline, preSettled: boolean): Promise<Outcome>
  /** Nothing was sent since then, and nothing waits. */
  idleSince(time: number): boolean
  /** The link, its session or its connection is gone: ends what waits and what is under way. */
  lost(error: Error): void
  close(): void
}

/** Opens the link. Rejects when the peer refuses it, at the deadline, or when the session is lost. */
export async function openSenderQueue(
  session: Promise<Session>,
  address: string,
  deadline: Deadline,
  options: SenderQueueOptions,
): Promise<SenderQueue> {
  const queue = new Queue(options)
  const opened = await deadline.race(session, { phase: 'connect', delivery: 'not-sent' })
  const sender = await openSender(opened, address, deadline, { onClosed: (error) => queue.lost(error) })
  queue.attach(sender)
  return queue
}

class Queue implements SenderQueue {
  readonly #options: SenderQueueOptions
  readonly #waiting = new Set<Waiting>()
  readonly #unsettled = new Map<Delivery, Waiting>()
  #sender: Sender | undefined
  #handedOver = 0
  #lastUsedAt: number

  constructor(options: SenderQueueOptions) {
    this.#options = options
    this.#lastUsedAt = options.clock.now()
  }

  attach(sender: Sender): void {
    this.#sender = sender
    sender.on('sendable', () => this.#pump())
    const onOutcome = (context: EventContext): void => this.#settled(context)
    for (const event of ['accepted', 'released', 'modified', 'rejected']) sender.on(event, onOutcome)
    // A peer may settle without an outcome: accepted, says the specification.
    sender.on('settled', onOutcome)
  }

  send(message: Message, deadline: Deadline, preSettled: boolean): Promise<Outcome> {
    this.#lastUsedAt = this.#options.clock.now()
    return new Promise<Outcome>((resolve, reject) => {
      let isOver = false
      const end = (): void => {
        isOver = true
        cancel()
        this.#waiting.delete(waiting)
      }
      const waiting: Waiting = {
        message,
        preSettled,
        settle: (outcome) => {
          end()
          resolve(outcome)
        },
        fail: (error, known) => {
          end()
          reject(
            new TransportDriverError(`The link was lost: ${error.message}`, {
              cause: error,
              retryable: true,
              phase: known === 'unknown' ? 'confirm' : 'publish',
              delivery: known,
              brokerCode: error instanceof TransportDriverError ? error.brokerCode : undefined,
            }),
          )
        },
      }
      let cancel = (): void => {}
      this.#waiting.add(waiting)
      this.#pump()
      if (isOver) return
      cancel = deadline.watch({ phase: 'publish', delivery: 'not-sent' }, (error) => {
        const isWritten = !this.#waiting.has(waiting)
        end()
        // What is known depends on how far it came, and that changes while it is waited for.
        reject(
          isWritten && !deadline.signal?.aborted
            ? deadline.timeoutError({ phase: 'confirm', delivery: 'unknown' })
            : error,
        )
      })
    })
  }

  idleSince(time: number): boolean {
    return this.#lastUsedAt < time && this.#waiting.size === 0 && this.#unsettled.size === 0
  }

  close(): void {
    this.#sender?.close()
    this.#sender = undefined
  }

  lost(error: Error): void {
    if (this.#sender === undefined && this.#waiting.size === 0 && this.#unsettled.size === 0) return
    this.#sender = undefined
    this.#options.onGone()
    for (const waiting of this.#waiting) waiting.fail(error, 'not-sent')
    for (const waiting of this.#unsettled.values()) waiting.fail(error, 'unknown')
    this.#unsettled.clear()
  }

  #pump(): void {
    const sender = this.#sender
    if (sender === undefined) return
    for (const waiting of this.#waiting) {
      if (roomOf(sender, this.#handedOver) <= 0) return
      this.#waiting.delete(waiting)
      this.#handedOver += 1
      const delivery = sender.send(waiting.message)
      if (waiting.preSettled) {
        settleBeforeSending(delivery)
        waiting.settle({ type: 'accepted' })
      } else this.#unsettled.set(delivery, waiting)
    }
  }

  #settled(context: EventContext): void {
    const { delivery } = context
    if (delivery === undefined) return
    const waiting = this.#unsettled.get(delivery)
    if (waiting === undefined) return
    this.#unsettled.delete(delivery)
    waiting.settle(outcomeOf(delivery))
  }
}
