import { randomUUID } from 'node:crypto'
import { importSecondKafkaClient, NEWEST_PYTHON, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  type NotificationTransport,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { createKafkaDriver } from '@oslo-messaging/kafka'
import { type ServerProcess, startServer } from '../child.ts'
import { Countdown } from '../countdown.ts'
import { type Contestant, duel } from '../duel.ts'
import {
  brokersOf,
  createHandWrittenConsumer,
  createPlainNotifier,
  createSharingNotifier,
  createTopic,
} from '../peers/kafkajs-notify.ts'
import { type PythonProcess, pythonTurn, startPython } from '../python.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn } from '../turn.ts'

const BYTES = 1024
const TOPICS = 100
const payload = { text: 'x'.repeat(BYTES) }

/** Notifications through Kafka: producing with few and many callers, and reading a backlog. */
export async function run(options: SuiteOptions): Promise<SuiteOutcome> {
  const { say } = options
  say('starting Kafka')
  await using broker = await startBroker('kafka')
  await using bus = await openBus(broker.url, 'kafkajs')
  await using second = await openBus(broker.url, 'platformatic')
  // The figures beside Python's are a part of the suite that a machine without Python goes without.
  await using python = await startPython('kafka', [broker.url]).catch((error: unknown) => {
    say(`without Python: ${String(error)}`)
    return null
  })
  const rows = [
    ...(await produce({ bus, second }, python, broker.url, options)),
    ...(await produceToMany(bus, broker.url, options)),
    ...(await consume({ bus, second }, python, broker.url, options)),
  ]
  const versions = { kafka: broker.version, ...(python === null ? {} : { 'oslo.messaging': NEWEST_PYTHON.version }) }
  return { rows, brokers: versions }
}

/** Ours over the client library that comes with it, and over the other one. */
interface Buses {
  readonly bus: NotificationTransport
  readonly second: NotificationTransport
}

const SECOND = 'ours over @platformatic/kafka'

async function openBus(url: string, client: 'kafkajs' | 'platformatic'): Promise<NotificationTransport> {
  const driver = createKafkaDriver({ client, importClient: importSecondKafkaClient })
  const registry = createDriverRegistry({ drivers: [driver], discover: false })
  return await getNotificationTransport(await loadConfig(), { url, registry })
}

async function produce(
  { bus, second }: Buses,
  python: PythonProcess | null,
  url: string,
  { quick, wants, say }: SuiteOptions,
): Promise<Row[]> {
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const brokers = brokersOf(url)
  await createTopic(brokers, `${topic}.info`, 4)
  const notifier = notifierTo(bus, topic)
  const other = notifierTo(second, topic)
  const sharing = await createSharingNotifier(brokers, [`${topic}.info`])
  const plain = await createPlainNotifier(brokers, `${topic}.info`)
  const rows: Row[] = []
  for (const concurrency of [1, 64, 1_000]) {
    if (!wants({ name: 'notify', concurrency })) continue
    say(`notify, ${concurrency} at once`)
    const turnOf = (operation: () => unknown) => (durationMs: number) =>
      takeTurn(operation, { concurrency, durationMs })
    rows.push(
      ...(await duel({
        workload: { name: 'notify', concurrency, bytes: BYTES },
        ours: { name: 'ours', turn: turnOf(() => notifier.info({}, 'bench', payload)) },
        peers: [
          { name: 'hand-written', turn: turnOf(() => sharing.info('bench', payload)) },
          { name: SECOND, turn: turnOf(() => other.info({}, 'bench', payload)) },
          // With one caller it is the hand-written one again, but for a turn of the event loop.
          ...(quick && concurrency === 1
            ? []
            : [{ name: 'kafkajs send per notification', turn: turnOf(() => plain.info('bench', payload)) }]),
          ...pythonProducing(python, topic, concurrency),
        ],
        pairs: quick ? (concurrency === 1_000 ? 3 : 5) : 11,
        // The broker's own code, and ours, is compiled while it warms up; one caller alone gets there slowly.
        turnMs: quick ? (concurrency === 1 ? 400 : 250) : 1_000,
        warmUpMs: quick ? (concurrency === 1 ? 3_000 : 500) : 3_000,
      })),
    )
  }
  await Promise.all([sharing.close(), plain.close()])
  return rows
}

/** The same to many topics in turn, of which a produce request carries several. */
async function produceToMany(
  bus: NotificationTransport,
  url: string,
  { quick, wants, say }: SuiteOptions,
): Promise<Row[]> {
  const concurrency = 1_000
  const workload = { name: 'notify-topics', concurrency, bytes: BYTES }
  if (!wants(workload)) return []
  say(`notify to ${TOPICS} topics, ${concurrency} at once`)
  const name = `bench_${randomUUID().slice(0, 8)}`
  const topics = Array.from({ length: TOPICS }, (_, number) => `${name}_${number}`)
  const brokers = brokersOf(url)
  for (const topic of topics) await createTopic(brokers, `${topic}.info`, 1)
  const notifiers = topics.map((topic) => notifierTo(bus, topic))
  const [one] = notifiers
  const sharing = await createSharingNotifier(
    brokers,
    topics.map((topic) => `${topic}.info`),
  )
  let turn = 0
  const turnOf = (operation: () => unknown) => (durationMs: number) => takeTurn(operation, { concurrency, durationMs })
  const rows = await duel({
    workload,
    ours: { name: 'ours', turn: turnOf(() => notifiers[(turn += 1) % TOPICS]?.info({}, 'bench', payload)) },
    peers: [
      { name: 'ours to one topic', turn: turnOf(() => one?.info({}, 'bench', payload)) },
      { name: 'hand-written', turn: turnOf(() => sharing.info('bench', payload)) },
    ],
    pairs: quick ? 3 : 11,
    turnMs: quick ? 250 : 1_000,
    warmUpMs: quick ? 500 : 3_000,
  })
  await sharing.close()
  return rows
}

function notifierTo(bus: NotificationTransport, topic: string): Notifier {
  return new Notifier(bus, { publisherId: 'bench', driver: 'messagingv2', topics: [topic] })
}

/** Python's notifier does not wait for the broker, so its turns end with a flush; the client library below it is only
 *  reported. */
function pythonProducing(python: PythonProcess | null, topic: string, concurrency: number): Contestant[] {
  if (python === null || concurrency === 1) return []
  const contestant = (name: string, task: object): Contestant => ({
    name,
    turn: async (durationMs) =>
      pythonTurn(await python.ask({ ...task, topic, seconds: durationMs / 1000, bytes: BYTES })),
  })
  return concurrency === 64
    ? [contestant('oslo.messaging notifier', { do: 'notify', callers: concurrency })]
    : [contestant('confluent-kafka produce, flush', { do: 'produce' })]
}

/** A turn fills the topic while nobody reads, then lets one contestant read all of it. Timed from the first record in a
 *  handler to the last: joining the group is not part of it. Latency is the time between two records. */
async function consume(
  { bus, second }: Buses,
  python: PythonProcess | null,
  url: string,
  { quick, wants, say }: SuiteOptions,
): Promise<Row[]> {
  const workload = { name: 'listen', concurrency: 1, bytes: BYTES }
  if (!wants(workload)) return []
  const brokers = brokersOf(url)
  await using producer = await startServer('notify-producer', [brokers.join(',')])
  const count = quick ? 10_000 : 50_000
  const ours = await oursReading('ours', bus, brokers, producer, count)
  const other = await oursReading(SECOND, second, brokers, producer, count)
  const handWritten = await handWrittenReading(brokers, producer, count)
  const theirs = python === null ? [] : [await pythonReading(python, brokers, producer, count)]
  say(`reading a backlog of ${count}`)
  return await duel({
    workload,
    ours,
    peers: [handWritten, other, ...theirs],
    pairs: quick ? 3 : 5,
    turnMs: 0,
    warmUpMs: 1,
  })
}

async function oursReading(
  name: string,
  bus: NotificationTransport,
  brokers: readonly string[],
  producer: ServerProcess,
  count: number,
): Promise<Contestant> {
  const topic = `bench_${randomUUID().slice(0, 8)}`
  await createTopic(brokers, `${topic}.info`, 1)
  let countdown = new Countdown(1)
  const listen = async (): Promise<{ close(): Promise<void> }> => {
    const endpoint = { info: () => countdown.step() }
    const listener = getNotificationListener(bus, [new Target({ topic })], [endpoint], { pool: topic })
    await listener.start()
    return {
      async close() {
        await listener.stop()
        await listener.wait()
      },
    }
  }
  // A group that has read once has a place of its own, from which every turn goes on.
  const first = await listen()
  await producer.ask({ topic: `${topic}.info`, count: 1, bytes: BYTES })
  await countdown.done
  await first.close()
  return {
    name,
    async turn() {
      await producer.ask({ topic: `${topic}.info`, count, bytes: BYTES })
      countdown = new Countdown(count)
      const listener = await listen()
      const turn = await countdown.done
      await listener.close()
      return turn
    },
  }
}

async function handWrittenReading(
  brokers: readonly string[],
  producer: ServerProcess,
  count: number,
): Promise<Contestant> {
  const topic = `bench_${randomUUID().slice(0, 8)}`
  await createTopic(brokers, `${topic}.info`, 1)
  return {
    name: 'hand-written',
    async turn() {
      await producer.ask({ topic: `${topic}.info`, count, bytes: BYTES })
      const countdown = new Countdown(count)
      const consumer = await createHandWrittenConsumer(brokers, `${topic}.info`, topic, () => countdown.step())
      const turn = await countdown.done
      await consumer.close()
      return turn
    },
  }
}

async function pythonReading(
  python: PythonProcess,
  brokers: readonly string[],
  producer: ServerProcess,
  count: number,
): Promise<Contestant> {
  const topic = `bench_${randomUUID().slice(0, 8)}`
  await createTopic(brokers, `${topic}.info`, 1)
  const read = async (records: number): Promise<unknown> => {
    await python.ask({ do: 'listen', topic, pool: topic, count: records })
    return await python.next()
  }
  // Its first place is the end of the topic, whenever it gets there: so it is sent one after the other until it has
  // one.
  const placed = new AbortController()
  const first = read(1).then(() => placed.abort())
  // Every answer is waited for: what is still being stored would be a load on the first turns.
  while (!placed.signal.aborted) await producer.ask({ topic: `${topic}.info`, count: 2, bytes: BYTES })
  await first
  return {
    name: 'oslo.messaging listener',
    async turn() {
      await producer.ask({ topic: `${topic}.info`, count, bytes: BYTES })
      return pythonTurn(await read(count))
    },
  }
}
