import { type Clock, isMessagingError } from '@oslo-messaging/core/driver'
import type { EncodedReply } from '../wire/message.ts'

/** How soon a missing queue is asked for again, and how much later each time: a client that restores its queue gives
 *  what is held back a second to arrive. */
const FIRST_PROBE_MS = 250
const LATEST_PROBE_MS = 750
/** So many questions come at the first pace, as from Python's servers. */
const QUICK_PROBES = 4
/** All missing queues together are asked for about a hundred times a second. */
const MS_PER_QUEUE = 10
/** What waits, for one queue and for all of them. */
const MOST_IN_QUEUE: Room = { replies: 4096, bytes: 8 * 1024 * 1024 }
const MOST_IN_ALL: Room = { replies: 10_000, bytes: 64 * 1024 * 1024 }

interface Room {
  readonly replies: number
  readonly bytes: number
}

export interface MissingQueuesOptions {
  readonly clock: Clock
  /** Milliseconds after which a queue that is still missing is given up. */
  readonly patienceMs: number
  /** One attempt; resolves to the failure, if there is one, and never rejects. */
  readonly attempt: (replyQueue: string, reply: EncodedReply, timeoutMs: number) => Promise<unknown>
  /** The queue did not come back, or the transport was closed: nothing more is tried for these. */
  readonly onGivenUp: (replyQueue: string, replies: number, failure: unknown) => void
}

interface MissingQueue {
  readonly name: string
  readonly since: number
  /** The first one is what asks for the queue. */
  replies: EncodedReply[]
  bytes: number
  probes: number
  failure: unknown
  timer: unknown
}

/** Replies whose queue is missing: one of them asks for the queue again and again, the others wait until it is there.
 */
export class MissingQueues {
  readonly #options: MissingQueuesOptions
  readonly #queues = new Map<string, MissingQueue>()
  #replies = 0
  #bytes = 0
  #closed = false

  constructor(options: MissingQueuesOptions) {
    this.#options = options
  }

  /** Whether that queue is known to be missing: a reply to it waits with the others. Other failures say nothing of
   *  further replies. */
  has(replyQueue: string): boolean {
    return isMessagingError(this.#queues.get(replyQueue)?.failure, 'UNDELIVERABLE')
  }

  /** Takes a reply that has failed, or whose queue is missing; false when there is no room for it, or the broker never
   *  takes it. */
  hold(replyQueue: string, reply: EncodedReply, failure?: unknown): boolean {
    if (isRefused(failure)) return false
    const queue = this.#queues.get(replyQueue) ?? this.#newQueue(replyQueue, failure)
    const { bytes } = reply
    const isFull =
      queue.replies.length >= MOST_IN_QUEUE.replies ||
      queue.bytes + bytes > MOST_IN_QUEUE.bytes ||
      this.#replies >= MOST_IN_ALL.replies ||
      this.#bytes + bytes > MOST_IN_ALL.bytes
    if (this.#closed || isFull) return false
    queue.replies.push(reply)
    queue.bytes += bytes
    this.#replies += 1
    this.#bytes += bytes
    if (!this.#queues.has(replyQueue)) {
      this.#queues.set(replyQueue, queue)
      this.#probeLater(queue)
    }
    return true
  }

  /** Gives up everything. */
  close(failure: unknown): void {
    this.#closed = true
    for (const queue of this.#queues.values()) this.#giveUp(queue, failure)
  }

  #newQueue(name: string, failure: unknown): MissingQueue {
    const since = this.#options.clock.now()
    return { name, since, replies: [], bytes: 0, probes: 0, failure, timer: undefined }
  }

  #probeLater(queue: MissingQueue): void {
    const { clock } = this.#options
    const waitMs = Math.max(
      Math.min(FIRST_PROBE_MS * 2 ** Math.max(0, queue.probes - QUICK_PROBES), LATEST_PROBE_MS),
      this.#queues.size * MS_PER_QUEUE,
    )
    queue.timer = clock.setTimeout(() => void this.#probe(queue), Math.min(waitMs, this.#leftMs(queue)))
  }

  async #probe(queue: MissingQueue): Promise<void> {
    const [first] = queue.replies
    const leftMs = this.#leftMs(queue)
    if (first === undefined || leftMs <= 0) return this.#giveUp(queue, queue.failure)
    queue.probes += 1
    const failure = await this.#options.attempt(queue.name, first, Math.max(leftMs, 1))
    if (this.#queues.get(queue.name) !== queue) return
    if (failure === undefined) return this.#release(queue)
    if (isRefused(failure)) this.#dropFirst(queue, first, failure)
    else queue.failure = failure
    this.#probeLater(queue)
  }

  /** The broker refuses that reply itself: the others go on asking. */
  #dropFirst(queue: MissingQueue, first: EncodedReply, failure: unknown): void {
    queue.replies.shift()
    queue.bytes -= first.bytes
    this.#replies -= 1
    this.#bytes -= first.bytes
    this.#options.onGivenUp(queue.name, 1, failure)
  }

  /** The queue is there: what waited is sent. What fails now waits anew. */
  #release(queue: MissingQueue): void {
    const [, ...others] = this.#take(queue)
    for (const reply of others)
      void this.#options.attempt(queue.name, reply, this.#options.patienceMs).then((failure) => {
        if (failure !== undefined && !this.hold(queue.name, reply, failure))
          this.#options.onGivenUp(queue.name, 1, failure)
      })
  }

  #giveUp(queue: MissingQueue, failure: unknown): void {
    this.#options.clock.clearTimeout(queue.timer)
    const replies = this.#take(queue).length
    if (replies > 0) this.#options.onGivenUp(queue.name, replies, failure)
  }

  #take(queue: MissingQueue): readonly EncodedReply[] {
    this.#queues.delete(queue.name)
    this.#replies -= queue.replies.length
    this.#bytes -= queue.bytes
    return queue.replies
  }

  #leftMs({ since }: MissingQueue): number {
    return this.#options.patienceMs - (this.#options.clock.now() - since)
  }
}

function isRefused(failure: unknown): boolean {
  return isMessagingError(failure) && !failure.retryable && !isMessagingError(failure, 'UNDELIVERABLE')
}
