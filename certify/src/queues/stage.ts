import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryPromises } from '@oslo-messaging/conformance/history'
import type { CloseReport, MessageServer, Transport } from '@oslo-messaging/core'
import type { Nemesis } from '../frame/nemesis.ts'
import type { Stage, StageParts } from '../frame/profile.ts'
import type { Recorder } from '../frame/recorder.ts'
import { CountingLog } from '../load/counting-log.ts'
import { HealthWatch } from '../load/illness.ts'
import { Senders } from '../load/senders.ts'
import { until } from '../load/until.ts'
import { drain } from './nemeses/members.ts'
import type { QueueRoom, Side } from './room.ts'
import { type Buses, placeOf, readersOf, sourceOf, startReaders } from './workload.ts'

const WHOLE_MS = 90_000
/** Readers have caught up when nothing was handled for so long. */
const QUIET_MS = 10_000
const SHORT_QUIET_MS = 3_000
const CATCH_UP_MS = 240_000
const CLOSE_MS = 40_000
const GRACE_MS = 5_000

/** Senders and readers of calls, casts, notifications and fanouts on a broker with queues. They have transports of
 *  their own, as two processes would. */
export class QueueStage implements Stage {
  readonly title: string
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[]
  readonly promises: HistoryPromises
  readonly #room: QueueRoom
  readonly #recorder: Recorder
  readonly #senders: Senders
  readonly #log: CountingLog
  readonly #quietMs: number
  readonly #open = new Map<Side, Buses>()
  /** What still waited for the readers when they had stopped. */
  readonly #left = new Map<string, number>()
  #servers: readonly MessageServer[] = []
  #handled = 0
  readonly #health = new HealthWatch()

  constructor(room: QueueRoom, { recorder, options }: StageParts) {
    this.#room = room
    this.#recorder = recorder
    this.#quietMs = options.short ? SHORT_QUIET_MS : QUIET_MS
    this.#log = new CountingLog(() => {})
    this.title = room.title
    this.nemeses = room.isDrained === true ? [...room.nemeses, drain(() => this.#servers)] : room.nemeses
    this.short = room.short
    this.promises = promisesOf(room)
    this.#senders = new Senders(
      recorder,
      room.topics.map((topic) => sourceOf(topic, () => this.#buses('senders'))),
    )
  }

  async begin(): Promise<void> {
    for (const side of ['senders', 'readers'] as const) this.#open.set(side, await this.#room.open(this.#log, side))
    const onHandled = (): void => {
      this.#handled += 1
    }
    const readers = this.#buses('readers')
    const started = await Promise.all(
      this.#room.topics.map((topic) => startReaders(topic, readers, this.#recorder, onHandled)),
    )
    this.#servers = started.flat()
    await this.#room.mirror?.begin()
    this.#senders.begin()
  }

  async calm(): Promise<void> {
    await until(async () => (await this.#room.whole(), true), 'the broker whole again', WHOLE_MS)
    await this.#health.well(() => this.#transports())
  }

  async end(): Promise<void> {
    await this.#senders.end()
    await this.#caughtUp()
    await Promise.all(this.#servers.map((server) => server.stop({ timeoutMs: CLOSE_MS })))
    await this.#close(CLOSE_MS)
    await this.#room.mirror?.read((place, message) => {
      // A queue that only one reads keeps the order, so the count of what was read before is the position.
      this.#recorder.record({ kind: 'stored', message, place, partition: 0, position: this.#recorder.history.size })
    })
    for (const topic of this.#room.topics) {
      if (!this.#room.promisesOf(topic).settles) continue
      const left = new Set(await this.#room.leftovers(topic))
      this.#left.set(placeOf(topic), left.size)
      for (const reader of readersOf(topic)) this.#settleAllBut(left, reader)
    }
    await this.#noteBuried()
  }

  /** What a broker puts aside is not lost without a trace, but no reader had it: the verdict stays, and the report says
   *  where it is. */
  async #noteBuried(): Promise<void> {
    const buried = (await this.#room.buried?.()) ?? {}
    for (const [place, numbers] of Object.entries(buried))
      if (numbers.length > 0) this.#left.set(`${place} (messages ${numbers.slice(0, 20).join(', ')})`, numbers.length)
  }

  facts(): Readonly<Record<string, string | number>> {
    return Object.fromEntries([
      ...[...this.#left].map(([place, count]) => [`left in ${place}`, count]),
      ...[...this.#log.counts].map(([text, count]) => [`logged: ${text}`, count]),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close(1000)
    await this.#room[Symbol.asyncDispose]()
  }

  /** Whatever was handled and does not wait any more is settled. */
  #settleAllBut(left: ReadonlySet<number>, reader: string): void {
    const handled = new Set<number>()
    for (const event of this.#recorder.history) {
      if (event.kind === 'handled' && event.reader === reader) handled.add(event.message)
    }
    for (const message of handled) if (!left.has(message)) this.#recorder.record({ kind: 'settled', message, reader })
  }

  async #caughtUp(): Promise<void> {
    let handled = -1
    let since = performance.now()
    await until(
      async () => {
        if (this.#handled !== handled) since = performance.now()
        handled = this.#handled
        await sleep(100)
        return performance.now() - since > this.#quietMs
      },
      'readers caught up',
      CATCH_UP_MS,
    )
  }

  #buses(side: Side): Buses {
    const buses = this.#open.get(side)
    if (buses === undefined) throw new Error('The stage has not begun')
    return buses
  }

  #transports(): readonly Transport[] {
    return [...this.#open.values()].flatMap(({ rpc, notifications, streams }) =>
      streams === undefined ? [rpc, notifications] : [rpc, notifications, streams],
    )
  }

  async #close(timeoutMs: number): Promise<readonly CloseReport[]> {
    const transports = this.#transports()
    this.#open.clear()
    return await Promise.all(transports.map((transport) => transport.close({ timeoutMs })))
  }
}

function promisesOf(room: QueueRoom): HistoryPromises {
  return {
    readOutside: room.mirror?.topics.map(placeOf) ?? [],
    storedForReaders: false,
    // What was not confirmed when a connection broke is sent again, and listeners drop the copy.
    storedOnce: false,
    storedInOrder: true,
    triesUntilDeadline: false,
    graceMs: GRACE_MS,
    readers: Object.fromEntries(
      room.topics.flatMap((topic) => readersOf(topic).map((reader) => [reader, room.promisesOf(topic)] as const)),
    ),
  }
}
