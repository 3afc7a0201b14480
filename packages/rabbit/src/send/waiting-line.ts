import { AsyncResource } from 'node:async_hooks'
import { BackpressureError, type Deadline, OutstandingLimit } from '@oslo-messaging/core/driver'
import type { CompressedBody } from '../wire/compression.ts'
import type { Failure, OutgoingMessage } from './outgoing-message.ts'

type OnEnd = (failure: Failure | undefined) => void

/** A message whose body is ready. */
export interface Packed {
  readonly outgoing: OutgoingMessage
  readonly body: CompressedBody
}

interface Entry extends Packed {
  readonly onEnd: OnEnd
  readonly queue: Queue
  readonly room: OutstandingLimit
  /** Of whoever sent it: agents for tracing put the trace that is active when it is published into its headers. */
  readonly context: AsyncResource
  cancel: () => void
}

/** Messages to one exchange: what holds them up need not concern others (P15). */
interface Queue {
  readonly exchange: string
  readonly standing: Set<Entry>
  active: number
}

export interface WaitingLineOptions {
  readonly maxMessages: number
  /** Most of those that are counted elsewhere already, as calls and replies are: thousands of calls at once are no
   *  flood. */
  readonly maxCounted: number
  readonly maxBytes: number
  /** Sends it at once when everything is at hand; false when something has to be waited for: then nothing was done. */
  readonly sendNow: (packed: Packed, onEnd: OnEnd) => boolean
  /** Goes all the way for it: connects, declares, waits, tries again. */
  readonly deliver: (packed: Packed) => Promise<void>
  /** Somebody has left the line; asked for when it may have been the last. */
  readonly onMoved: () => void
  /** Why nothing moves, for whoever runs out of time in the line. */
  readonly explain: (deadline: Deadline, error: unknown) => unknown
}

/** So many to one exchange go all the way at the same time; the others stand in line, where each costs a tenth of
 *  that. */
const MOST_ACTIVE = 256

/** What cannot be sent at once waits here, first come, first served for each exchange. Bounded by count and bytes,
 *  because what waits takes memory as well (P07). */
export class WaitingLine {
  readonly #options: WaitingLineOptions
  readonly #room: OutstandingLimit
  readonly #countedRoom: OutstandingLimit
  readonly #queues = new Map<string, Queue>()

  constructor(options: WaitingLineOptions) {
    this.#options = options
    this.#room = new OutstandingLimit(options)
    this.#countedRoom = new OutstandingLimit({ maxMessages: options.maxCounted, maxBytes: options.maxBytes })
  }

  /** Takes it, or ends it at once with BackpressureError when there is no room. `onEnd` is called exactly once, by its
   *  deadline at the latest unless the broker owes the confirm. */
  enter(outgoing: OutgoingMessage, onEnd: OnEnd, isCounted = false): void {
    const { maxMessages, maxCounted } = this.#options
    const room = isCounted ? this.#countedRoom : this.#room
    const limit: Limit = isCounted
      ? { messages: maxCounted, option: 'maxPendingCalls' }
      : { messages: maxMessages, option: 'maxWaitingMessages' }
    const body = admit(room, limit, outgoing, onEnd)
    if (body === undefined) return
    const queue = this.#queueOf(outgoing.exchange)
    const entry: Entry = {
      outgoing: { ...outgoing, encode: () => body },
      body,
      onEnd,
      queue,
      room,
      context: new AsyncResource('oslo-messaging:send'),
      cancel: () => {},
    }
    if (queue.active < MOST_ACTIVE && queue.standing.size === 0) return this.#start(entry)
    queue.standing.add(entry)
    const { deadline, progress } = outgoing
    entry.cancel = deadline.watch(progress, (error) => {
      this.#leave(entry)
      onEnd({ error: deadline.signal?.aborted === true ? error : this.#options.explain(deadline, error) })
    })
  }

  /** Sends what stands in line for the exchange, as far as everything is at hand: what comes now must not overtake
   *  it. False: somebody still stands there. */
  advance(exchange: string): boolean {
    const queue = this.#queues.get(exchange)
    if (queue === undefined || queue.standing.size === 0) return true
    for (const entry of queue.standing) {
      let isSent = false
      entry.context.runInAsyncScope(() => {
        isSent = this.#options.sendNow(entry, entry.onEnd)
      })
      if (!isSent) return false
      entry.cancel()
      this.#leave(entry)
    }
    return true
  }

  /** Whether somebody stands in line: accepted, and not under way yet. */
  get isStanding(): boolean {
    for (const { standing } of this.#queues.values()) if (standing.size > 0) return true
    return false
  }

  /** Takes a place for something that is not in the line; false when there is none. */
  tryTake(bytes: number): boolean {
    return this.#room.messages < this.#options.maxMessages && this.#room.tryAcquire(bytes)
  }

  giveBack(bytes: number): void {
    this.#room.release(bytes)
  }

  #queueOf(exchange: string): Queue {
    let queue = this.#queues.get(exchange)
    if (queue === undefined) {
      queue = { exchange, standing: new Set(), active: 0 }
      this.#queues.set(exchange, queue)
    }
    return queue
  }

  #start(entry: Entry): void {
    const { queue } = entry
    queue.active += 1
    const end = (failure: Failure | undefined): void => {
      queue.active -= 1
      entry.room.release(entry.body.body.length)
      entry.onEnd(failure)
      this.#next(queue)
    }
    this.#options.deliver(entry).then(
      () => end(undefined),
      (error: unknown) => end({ error }),
    )
  }

  #next(queue: Queue): void {
    for (const entry of queue.standing) {
      if (queue.active >= MOST_ACTIVE) return
      entry.cancel()
      queue.standing.delete(entry)
      entry.context.runInAsyncScope(() => {
        if (this.#options.sendNow(entry, entry.onEnd)) entry.room.release(entry.body.body.length)
        else this.#start(entry)
      })
    }
    if (queue.active === 0) this.#queues.delete(queue.exchange)
    this.#options.onMoved()
  }

  #leave(entry: Entry): void {
    if (!entry.queue.standing.delete(entry)) return
    entry.room.release(entry.body.body.length)
    this.#options.onMoved()
  }
}

/** Most messages in a room, and the option of createRabbitDriver that says so. */
interface Limit {
  readonly messages: number
  readonly option: string
}

/** Takes a place and encodes; undefined: it was ended for want of room, or because it cannot be encoded. */
function admit(
  room: OutstandingLimit,
  limit: Limit,
  outgoing: OutgoingMessage,
  onEnd: OnEnd,
): CompressedBody | undefined {
  // By count before it is encoded: a flood is refused for next to nothing.
  if (room.messages >= limit.messages) {
    onEnd({ error: refusal(room, limit.option) })
    return undefined
  }
  try {
    const body = outgoing.encode()
    if (room.tryAcquire(body.body.length)) return body
    onEnd({ error: refusal(room, 'maxWaitingBytes') })
  } catch (error) {
    onEnd({ error })
  }
  return undefined
}

function refusal({ messages, bytes }: OutstandingLimit, option: string): BackpressureError {
  return new BackpressureError(
    `${messages} messages (${bytes} bytes) wait to be sent already: await earlier sends, or raise ${option} of createRabbitDriver`,
  )
}
