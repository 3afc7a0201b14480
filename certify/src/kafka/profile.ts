import { setTimeout as sleep } from 'node:timers/promises'
import { Notifier, type NotificationTransport } from '@oslo-messaging/core'
import type { HistoryPromises, ReaderPromises } from '@oslo-messaging/conformance/history'
import { readerPromises } from '@oslo-messaging/conformance/history'
import { type ClientName, kafkaDriver } from '@oslo-messaging/kafka'
import type { Nemesis } from '../frame/nemesis.ts'
import type { Profile, Stage, StageParts } from '../frame/profile.ts'
import type { Recorder } from '../frame/recorder.ts'
import { CountingLog } from '../load/counting-log.ts'
import { HealthWatch } from '../load/illness.ts'
import { Program } from '../load/program.ts'
import { Senders, type Source } from '../load/senders.ts'
import { until } from '../load/until.ts'
import { type BusPlace, clientOf, openBus } from './bus.ts'
import { KafkaCluster } from './cluster.ts'
import { kafkaNemeses } from './nemeses/index.ts'
import { Reader, type ReaderPlan } from './readers.ts'
import { placeOf, planOf, type TestedTopic, TOPICS } from './topics.ts'

const ALL: readonly TestedTopic[] = Object.values(TOPICS)
const { one, six, thirty, doomed, denied, lonely } = TOPICS

/** Two groups read what may never be lost, in both commit modes; a third has a healthy topic among those that operators
 *  take away. */
const READERS: readonly ReaderPlan[] = [
  { name: 'before', commit: 'before', topics: [one, six, thirty], members: 2, handlerMs: 0 },
  { name: 'after', commit: 'after', topics: [one, six, thirty], members: 2, handlerMs: 2 },
  { name: 'sick', commit: 'after', topics: [one, doomed, denied, lonely], members: 1, handlerMs: 0 },
]

/** Readers have caught up when none of them has handled anything for so long. */
const QUIET_MS = 10_000
const SHORT_QUIET_MS = 3_000
const CATCH_UP_MS = 240_000
const AT_WORK_MS = 60_000

const profile: Profile = {
  name: 'kafka',
  variant: 'cluster',
  open: async (parts) => {
    const client = clientOf(parts.options.client)
    const cluster = await KafkaCluster.start(parts.options.version)
    try {
      await cluster.admin.create(ALL.map(planOf))
      return new KafkaStage(cluster, client, parts)
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  },
}

export const profiles: readonly Profile[] = [profile]

class KafkaStage implements Stage {
  readonly title: string
  readonly nemeses: readonly Nemesis[]
  readonly short: readonly string[] = ['leader election', 'network stall', 'kill -9']
  readonly promises: HistoryPromises
  readonly #cluster: KafkaCluster
  readonly #place: BusPlace
  readonly #recorder: Recorder
  readonly #readers: readonly Reader[]
  readonly #senders: Senders
  readonly #log = new CountingLog(() => {})
  readonly #quietMs: number
  readonly #health = new HealthWatch()
  #bus: NotificationTransport | undefined
  #notifiers: ReadonlyMap<string, Notifier> = new Map()

  constructor(cluster: KafkaCluster, client: ClientName, { recorder, options }: StageParts) {
    this.#place = { url: cluster.url, client }
    this.#quietMs = options.short ? SHORT_QUIET_MS : QUIET_MS
    this.#cluster = cluster
    this.#recorder = recorder
    this.title = `kafka ${cluster.broker.version}, ${cluster.broker.nodes.length} nodes, client ${client}`
    this.#readers = READERS.map((plan) => new Reader(plan, this.#place, recorder))
    this.#senders = new Senders(
      recorder,
      ALL.map((topic) => this.#source(topic)),
    )
    this.promises = promisesOf(READERS)
    this.nemeses = kafkaNemeses({
      cluster,
      place: this.#place,
      senders: this.#senders,
      readers: this.#readers,
      recorder,
      notify: (topic, message, pad) => this.#notify(topic, message, pad),
    })
  }

  async begin(): Promise<void> {
    this.#bus = await openBus(this.#place, 'before', this.#log)
    const bus = this.#bus
    this.#notifiers = new Map(
      ALL.map(({ name, timeoutMs }) => [
        name,
        new Notifier(bus, { publisherId: 'certify', driver: 'messagingv2', topics: [name], retry: -1, timeoutMs }),
      ]),
    )
    await Promise.all(this.#readers.map((reader) => reader.begin()))
    this.#senders.begin()
    // What was allowed once is tried again when it is taken away; a listener that has never received anything gives up.
    await until(() => this.#readers.every(({ handled }) => handled > 0), 'each reader handled something', AT_WORK_MS)
  }

  async calm(): Promise<void> {
    await this.#cluster.whole()
    await this.#health.well(() => [...this.#readers.flatMap(({ buses }) => buses), ...(this.#bus ? [this.#bus] : [])])
  }

  async end(): Promise<void> {
    await this.#senders.end()
    await this.#caughtUp()
    const ends = await Promise.allSettled(this.#readers.map((reader) => reader.end()))
    await this.#cluster.whole()
    await this.#readOutside()
    for (const { plan, places } of this.#readers) {
      for (const { topic, partition, offset } of await this.#cluster.admin.committed(plan.name, places))
        this.#recorder.record({ kind: 'committed', reader: plan.name, place: topic, partition, position: offset })
    }
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  facts(): Readonly<Record<string, string | number>> {
    const logs = [this.#log, ...this.#readers.map(({ log }) => log)]
    const said = logs.flatMap(({ counts }) => [...counts])
    const sums = new Map<string, number>()
    for (const [text, count] of said) sums.set(text, (sums.get(text) ?? 0) + count)
    return Object.fromEntries([...sums].map(([text, count]) => [`logged: ${text}`, count]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([
      this.#bus?.close({ timeoutMs: 1000 }),
      ...this.#readers.map((reader) => reader[Symbol.asyncDispose]()),
    ])
    await this.#cluster[Symbol.asyncDispose]()
  }

  #source(topic: TestedTopic): Source {
    const { callers, perSec, timeoutMs } = topic
    return { place: placeOf(topic), callers, perSec, timeoutMs, send: (message) => this.#notify(topic, message) }
  }

  async #notify({ name }: TestedTopic, n: number, pad?: string): Promise<void> {
    const notifier = this.#notifiers.get(name)
    if (notifier === undefined) throw new Error(`Nobody sends to ${name}`)
    await notifier.info({ request_id: `req-${n}` }, 'certify.event', pad === undefined ? { n } : { n, pad })
  }

  async #caughtUp(): Promise<void> {
    let handled = -1
    let since = performance.now()
    await until(
      async () => {
        const sum = this.#readers.reduce((total, reader) => total + reader.handled, 0)
        if (sum !== handled) since = performance.now()
        handled = sum
        await sleep(200)
        return performance.now() - since > this.#quietMs
      },
      'readers caught up',
      CATCH_UP_MS,
    )
  }

  async #readOutside(): Promise<void> {
    const file = new URL('./outside-reader.js', import.meta.url)
    const reader = new Program(file, [this.#cluster.admin.brokers.join(','), ...ALL.map(placeOf)], (line) => {
      const [place = '', partition, position, message] = line.split(' ')
      this.#recorder.record({
        kind: 'stored',
        message: Number(message),
        place,
        partition: Number(partition),
        position: Number(position),
      })
    })
    await reader.ended()
  }
}

/** As the driver declares itself; the commit mode of each reader is its own setting. */
function promisesOf(plans: readonly ReaderPlan[]): HistoryPromises {
  const readers = plans.map(({ name, commit, topics, members }): [string, ReaderPromises] => [
    name,
    readerPromises(kafkaDriver.capabilities, topics.map(placeOf), { settledBefore: commit === 'before', members }),
  ])
  return {
    readOutside: ALL.map(placeOf),
    storedForReaders: true,
    storedOnce: true,
    storedInOrder: kafkaDriver.capabilities.ordering === 'partition',
    triesUntilDeadline: true,
    graceMs: 5_000,
    readers: Object.fromEntries(readers),
  }
}
