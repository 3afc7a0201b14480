import { setTimeout as sleep } from 'node:timers/promises'
import {
  getNotificationListener,
  type MessageServer,
  type NotificationDelivery,
  type NotificationTransport,
  Target,
} from '@oslo-messaging/core'
import type { Recorder } from '../frame/recorder.ts'
import { CountingLog } from '../load/counting-log.ts'
import { type BusPlace, type CommitMode, openBus } from './bus.ts'
import { placeOf, type TestedTopic } from './topics.ts'

const START_MS = 60_000
const STOP_MS = 40_000
const SLOW_EVERY = 40
/** What the driver logs when it could not keep its promise to give back. */
const NOT_GIVEN_BACK = /committed and could not be given back/

export interface ReaderPlan {
  /** Also the name of the pool, and with it of the consumer group. */
  readonly name: string
  readonly commit: CommitMode
  readonly topics: readonly TestedTopic[]
  readonly members: number
  /** Handlers take up to so long. */
  readonly handlerMs: number
}

/** The members of one consumer group, in this process. */
export class Reader implements AsyncDisposable {
  readonly plan: ReaderPlan
  readonly log: CountingLog
  handled = 0
  /** Every so-many-th handler takes so long, while it is not 0. */
  slowMs = 0
  readonly #recorder: Recorder
  readonly #place: BusPlace
  readonly #members = new Map<string, MessageServer>()
  #bus: NotificationTransport | undefined
  #born = 0

  constructor(plan: ReaderPlan, place: BusPlace, recorder: Recorder) {
    this.plan = plan
    this.#place = place
    this.#recorder = recorder
    this.log = new CountingLog((message, fields) => {
      if (NOT_GIVEN_BACK.test(message))
        recorder.record({ kind: 'reported', reader: plan.name, count: Number(fields['count']) })
    })
  }

  get members(): readonly string[] {
    return [...this.#members.keys()]
  }

  get places(): readonly string[] {
    return this.plan.topics.map(placeOf)
  }

  /** Its transport, while it is open. */
  get buses(): readonly NotificationTransport[] {
    return this.#bus === undefined ? [] : [this.#bus]
  }

  async begin(): Promise<void> {
    this.#bus = await openBus(this.#place, this.plan.commit, this.log)
    await Promise.all(Array.from({ length: this.plan.members }, () => this.join()))
  }

  /** One more member. Resolves to its name when it listens. */
  async join(): Promise<string> {
    if (this.#bus === undefined) throw new Error(`${this.plan.name} has not begun`)
    const member = `${this.plan.name}-${++this.#born}`
    const targets = this.plan.topics.map(({ name }) => new Target({ topic: name }))
    const endpoint = {
      info: (
        _context: object,
        _publisher: unknown,
        _type: unknown,
        payload: unknown,
        _facts: unknown,
        delivery: NotificationDelivery,
      ) => this.#handle(member, payload, delivery),
    }
    const server = getNotificationListener(this.#bus, targets, [endpoint], { pool: this.plan.name, workers: 16 })
    await server.start({ timeoutMs: START_MS })
    this.#members.set(member, server)
    return member
  }

  /** A member stops as an application stops it: what it has is handled first. */
  async leave(member: string): Promise<void> {
    const server = this.#members.get(member)
    this.#members.delete(member)
    await server?.stop({ timeoutMs: STOP_MS })
    await server?.wait({ timeoutMs: STOP_MS })
  }

  async end(): Promise<void> {
    await this.#bus?.close({ timeoutMs: STOP_MS })
    this.#bus = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus?.close({ timeoutMs: 1000 })
  }

  async #handle(member: string, payload: unknown, delivery: NotificationDelivery): Promise<void> {
    const { n } = payload as { readonly n?: number }
    // Records of other writers carry no number.
    if (n === undefined) return
    this.handled += 1
    const redelivered = delivery.redelivered === true
    this.#recorder.record({ kind: 'handled', message: n, reader: this.plan.name, member, redelivered })
    if (this.slowMs > 0 && n % SLOW_EVERY === 0) await sleep(this.slowMs)
    else if (this.plan.handlerMs > 0) await sleep((n % 7) * (this.plan.handlerMs / 6))
  }
}
