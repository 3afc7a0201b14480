import {
  type Backoff,
  type Clock,
  createBackoff,
  type DeliveryState,
  isMessagingError,
  MessageDeliveryFailure,
  type OperationPhase,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { ClientFault } from '../port/client-port.ts'
import { deliveryOf, kindOf, mapFault, toFault } from '../port/map-error.ts'
import type { Outgoing } from './outgoing.ts'
import { OutgoingQueue } from './outgoing-queue.ts'
import { isSessionFault, type ProducerSession, type Session } from './producer-session.ts'

/** What a broker takes in one batch by default (message.max.bytes), less the batch's own header. */
const MAX_BATCH_BYTES = 1_048_588 - 100
/** A smaller limit of the broker is learned from its refusals, down to this. */
const MIN_BATCH_BYTES = 16_384
/** How long a topic may be missing: a broker that makes topics needs a moment to tell all others. */
const TOPIC_GRACE_MS = 5000

export interface LaneOptions {
  readonly topic: string
  /** All of it goes into this partition; absent: one that has a leader, another one for each request. */
  readonly partition?: number
  /** Sends nothing: gives the messages to the lanes of their partitions, once it is known how many there are. */
  readonly spread?: (batch: readonly Outgoing[], partitions: number) => void
  readonly session: ProducerSession
  readonly lingerMs: number
  readonly batchMessages: number
  readonly clock: Clock
  readonly random: () => number
  /** Nothing is queued or under way any more. */
  readonly onIdle: () => void
}

/** Sends the notifications of one topic, or of one partition of it, one request at a time. What arrives meanwhile
 *  shares the next request: that is all the batching it takes. Topics do not wait for each other. */
export class ProducerLane {
  readonly #options: LaneOptions
  readonly #queue = new OutgoingQueue()
  #maxBytes = MAX_BATCH_BYTES
  #running = false
  #underway: readonly Outgoing[] = []
  /** Ends the pause before the next batch once so many have arrived. */
  #expected = 0
  #wake: (() => void) | undefined
  #aborted: ((delivery: DeliveryState) => Error) | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  add(message: Outgoing): void {
    this.#queue.add(message)
    this.#countConnecting(message, { attempts: 0, uncertain: undefined })
    if (this.#queue.size >= this.#expected) this.#wake?.()
    if (this.#running) return
    this.#running = true
    void this.#run()
  }

  /** Rejects everything that is left, each with what is known about it. */
  abort(error: (delivery: DeliveryState) => Error): void {
    this.#aborted = error
    for (const message of this.#takeAll()) message.reject(error('not-sent'))
    for (const message of this.#underway) message.reject(error(message.underway ? 'unknown' : 'not-sent'))
    this.#wake?.()
  }

  async #run(): Promise<void> {
    while (this.#queue.size > 0) {
      if (this.#options.lingerMs > 0) await this.#linger()
      let session = this.#options.session.current
      try {
        session ??= await this.#options.session.ready()
      } catch (error) {
        for (const message of this.#takeAll()) message.reject(error)
        break
      }
      const batch = this.#take()
      if (batch.length === 0) continue
      this.#underway = batch
      await this.#deliver(batch, session)
      this.#underway = []
      await this.#breathe(batch.length)
    }
    this.#running = false
    this.#options.onIdle()
  }

  /** Callers that wait for their notification before they send the next one come back now, all of them: let them share
   *  one request. */
  async #breathe(returning: number): Promise<void> {
    this.#expected = this.#queue.size + returning
    await new Promise<void>((resolve) => {
      const turn = setImmediate(resolve)
      this.#wake = () => {
        clearImmediate(turn)
        resolve()
      }
    })
    this.#wake = undefined
  }

  async #linger(): Promise<void> {
    const { lingerMs, batchMessages, clock } = this.#options
    if (this.#queue.size >= batchMessages || this.#aborted !== undefined) return
    this.#expected = batchMessages
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, lingerMs)
      this.#wake = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  #take(): readonly Outgoing[] {
    const batch = this.#queue.take(this.#options.batchMessages, this.#maxBytes)
    for (const message of batch) message.underway = this.#options.spread === undefined
    return batch
  }

  #takeAll(): readonly Outgoing[] {
    return this.#queue.take(Infinity, Infinity)
  }

  /** Brings one batch to an end: every message of it is settled when this resolves. Never rejects. */
  async #deliver(all: readonly Outgoing[], first: Session): Promise<void> {
    let batch = all
    const { topic, clock, random } = this.#options
    let backoff: Backoff | undefined
    const since = clock.now()
    const progress: Progress = { attempts: 0, since, uncertain: undefined, missingSince: undefined }
    let session = first
    for (;;) {
      progress.attempts += 1
      const fault = await this.#attempt(batch, session, progress)
      if (fault === null) {
        if (this.#options.spread === undefined) for (const message of batch) message.resolve()
        return
      }
      if (kindOf(fault) === 'too-large' && batch.length > 1 && progress.uncertain === undefined) {
        return await this.#split(batch, session)
      }
      this.#judge(batch, fault, session, progress)
      if (batch.every((message) => message.settled)) return this.#abandon(session, progress)
      if (progress.uncertain === undefined) for (const message of batch) message.underway = false
      backoff ??= createBackoff({ initialMs: 50, factor: 2, maxMs: 1000, random })
      const next = await this.#nextSession(fault, session, backoff, batch, progress)
      if (next instanceof Error) {
        for (const message of batch) message.reject(this.#failure(fault, progress, next))
        return this.#abandon(session, progress)
      }
      if (next !== session && progress.uncertain !== undefined) {
        // The broker would not recognize the repetition, so there is none.
        for (const message of batch)
          message.reject(mapFault(fault, { doing: `Sending to ${topic}`, phase: 'confirm', delivery: 'unknown' }))
        return
      }
      session = next
      if (progress.uncertain !== undefined) continue
      // Nothing of it is stored: whoever has given up meanwhile was told that it is not sent, and is not.
      batch = batch.filter((message) => !message.settled)
      if (batch.length === 0) return
      for (const message of batch) message.underway = this.#options.spread === undefined
    }
  }

  async #attempt(batch: readonly Outgoing[], session: Session, progress: Progress): Promise<ClientFault | null> {
    const { topic, spread } = this.#options
    const partition = this.#options.partition ?? progress.uncertain
    try {
      if (spread !== undefined) {
        const partitions = await session.port.partitions(topic)
        // Whoever has given up meanwhile was told that it is not sent.
        spread(
          batch.filter((message) => !message.settled),
          partitions,
        )
        return null
      }
      await session.port.produce({
        topic,
        ...(partition === undefined ? {} : { partition }),
        records: batch.map(({ record }) => record),
      })
      return null
    } catch (error) {
      const fault = toFault(error)
      // The broker has it already: an earlier attempt arrived.
      if (fault.type === 'DUPLICATE_SEQUENCE_NUMBER') return null
      if (deliveryOf(fault) === 'unknown') progress.uncertain ??= fault.partition ?? 0
      return fault
    }
  }

  /** Rejects whom the fault leaves no hope. The rest is tried again. */
  #judge(batch: readonly Outgoing[], fault: ClientFault, session: Session, progress: Progress): void {
    const { topic, clock } = this.#options
    const kind = kindOf(fault)
    const delivery: DeliveryState = progress.uncertain === undefined ? 'not-sent' : 'unknown'
    const phase: OperationPhase = fault.written ? 'confirm' : 'publish'
    if (kind === 'missing') progress.missingSince ??= clock.now()
    else progress.missingSince = undefined
    const hopeless =
      kind === 'denied' ||
      kind === 'refused' ||
      kind === 'too-large' ||
      (progress.missingSince !== undefined && clock.now() - progress.missingSince >= TOPIC_GRACE_MS) ||
      // The broker would not recognize the repetition, so there is none.
      (progress.uncertain !== undefined && (!session.idempotent || kind === 'fenced'))
    const reason = mapFault(fault, { doing: `Sending to ${topic}`, phase, delivery })
    for (const message of batch) {
      message.reason = reason
      if (hopeless) message.reject(mapFault(fault, { doing: `Sending to ${topic}`, phase, delivery }))
      else if (message.retries !== null && progress.attempts > message.retries) {
        message.reject(
          this.#failure(fault, progress, mapFault(fault, { doing: `Sending to ${topic}`, phase, delivery })),
        )
      }
    }
  }

  #failure(fault: ClientFault, progress: Progress, cause: Error): Error {
    const delivery: DeliveryState = progress.uncertain === undefined ? 'not-sent' : 'unknown'
    if (!(cause instanceof TransportDriverError)) return cause
    return new MessageDeliveryFailure(
      `${this.#options.topic} could not be sent in ${progress.attempts} attempts: ${fault.type} (${fault.message})`,
      {
        cause,
        retryable: true,
        phase: fault.written ? 'confirm' : 'publish',
        delivery,
        attempts: progress.attempts,
        elapsedMs: Math.round(this.#options.clock.now() - progress.since),
      },
    )
  }

  /** The session for the next attempt, after a pause; an Error when there will be none. */
  async #nextSession(
    fault: ClientFault,
    session: Session,
    backoff: Backoff,
    batch: readonly Outgoing[],
    progress: Progress,
  ): Promise<Session | Error> {
    const owner = this.#options.session
    if (kindOf(fault) === 'fenced') this.#renumber(fault, session)
    else if (isBroken(fault)) owner.renew(session, `${fault.type}: ${fault.message}`)
    else if (isSessionFault(fault)) owner.lost(fault)
    await this.#pause(backoff.next())
    if (this.#aborted !== undefined) return this.#aborted('unknown')
    for (const message of batch) this.#countConnecting(message, progress)
    try {
      return await owner.ready()
    } catch (error) {
      return toError(error)
    }
  }

  /** While there is no session, its attempts to come up are the attempts of whoever waits for it: `retries` counts
   *  them, so that it does not wait for its deadline. */
  #countConnecting(message: Outgoing, { attempts: before, uncertain }: Pick<Progress, 'attempts' | 'uncertain'>): void {
    const { session, topic } = this.#options
    if (message.retries === null || message.settled || session.isUp) return
    session.comesUp(message.retries - before).catch((error: unknown) => {
      // Everything else is heard of where the session is waited for.
      if (message.settled || !isMessagingError(error, 'DELIVERY')) return
      const attempts = before + (error.attempts ?? 0)
      const text = `${topic} could not be sent in ${attempts} attempts: ${error.message}`
      const delivery: DeliveryState = uncertain === undefined ? 'not-sent' : 'unknown'
      message.abandon(
        new MessageDeliveryFailure(text, { cause: error, retryable: true, phase: 'connect', delivery, attempts }),
      )
    })
  }

  /** The numbers of a partition are out of step, and begin anew for it; those of all only where that is not enough. */
  #renumber(fault: ClientFault, session: Session): void {
    const { type, message, partition } = fault
    if (type === 'PRODUCER_FENCED' || partition === undefined)
      this.#options.session.renew(session, `${type}: ${message}`)
    else session.port.giveUp({ topic: this.#options.topic, partition })
  }

  /** A request that may have arrived keeps its number, and the next request of its partition would be taken for its
   *  repetition and thrown away: so that one is numbered anew. */
  #abandon({ port }: Session, { uncertain: partition }: Progress): void {
    if (partition !== undefined) port.giveUp({ topic: this.#options.topic, partition })
  }

  async #split(batch: readonly Outgoing[], session: Session): Promise<void> {
    const bytes = batch.reduce((sum, message) => sum + message.bytes, 0)
    const largest = Math.max(...batch.map((message) => message.bytes))
    // Halves are the way to the culprit; the limit is lowered only when no single message explains the refusal.
    if (largest < bytes / 2) this.#maxBytes = Math.max(MIN_BATCH_BYTES, Math.min(this.#maxBytes, Math.ceil(bytes / 2)))
    const middle = batch.length >> 1
    await this.#deliver(batch.slice(0, middle), session)
    await this.#deliver(batch.slice(middle), session)
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimeout(resolve, delayMs)
      if (this.#aborted !== undefined) {
        this.#options.clock.clearTimeout(timer)
        resolve()
      }
    })
  }
}

interface Progress {
  attempts: number
  readonly since: number
  /** The partition that may hold the batch although no confirmation came; undefined: none does. */
  uncertain: number | undefined
  /** Since when the broker says that it has no such topic. */
  missingSince: number | undefined
}

/** The client library stumbled over its own state; another client does not. */
function isBroken(fault: ClientFault): boolean {
  return /^(TypeError|RangeError|ReferenceError|KafkaJSInvariantViolation)$/.test(fault.type)
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
