import { randomUUID } from 'node:crypto'
import { NEWEST_PYTHON, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  type NotificationTransport,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { Countdown } from '../countdown.ts'
import { type Contestant, duel } from '../duel.ts'
import {
  createHandWrittenListener,
  createHandWrittenNotifier,
  type HandWrittenNotifier,
} from '../peers/amqplib-notify.ts'
import { amqpUrl } from '../peers/amqplib-rpc.ts'
import { createNestClient } from '../peers/nestjs-rmq.ts'
import { createRascalPublisher } from '../peers/rascal-notify.ts'
import { type PythonProcess, pythonTurn, startPython } from '../python.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn } from '../turn.ts'

const BYTES = 1024
const payload = { text: 'x'.repeat(BYTES) }

/** Notifications through RabbitMQ: sending with few and many callers until the broker has confirmed, and reading a
 *  backlog. */
export async function run(options: SuiteOptions): Promise<SuiteOutcome> {
  const { say } = options
  say('starting RabbitMQ')
  await using broker = await startBroker('rabbit')
  await using python = await startPython('rabbit', [broker.url, 'client']).catch((error: unknown) => {
    say(`without Python: ${String(error)}`)
    return null
  })
  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  await using bus = await getNotificationTransport(await loadConfig(), { url: broker.url, registry })
  const amqp = amqpUrl(broker.url)
  const rows = [...(await send(bus, python, amqp, options)), ...(await listen(bus, amqp, options))]
  const versions = python === null ? {} : { 'oslo.messaging': NEWEST_PYTHON.version }
  return { rows, brokers: { rabbitmq: broker.version, ...versions } }
}

async function send(
  bus: NotificationTransport,
  python: PythonProcess | null,
  amqp: string,
  { quick, wants, say }: SuiteOptions,
): Promise<Row[]> {
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const notifier = new Notifier(bus, { publisherId: 'bench', driver: 'messagingv2', topics: [topic] })
  const handWritten = await createHandWrittenNotifier(amqp, `${topic}.info`)
  const nest = await createNestClient(amqp, `${topic}_nest`)
  const rascal = await createRascalPublisher(amqp, `${topic}_rascal`)
  const rows: Row[] = []
  for (const concurrency of [1, 16, 64]) {
    if (!wants({ name: 'notify', concurrency })) continue
    say(`notify, ${concurrency} at once`)
    const turnOf = (queue: string, operation: () => unknown) => async (durationMs: number) => {
      const turn = await takeTurn(operation, { concurrency, durationMs })
      await handWritten.purge(queue)
      return turn
    }
    const peers: Contestant[] = [
      { name: 'hand-written', turn: turnOf(`${topic}.info`, () => handWritten.info('bench', payload)) },
      { name: 'NestJS RMQ', turn: turnOf(`${topic}_nest`, () => nest.emit('bench', payload)) },
      { name: 'rascal', turn: turnOf(`${topic}_rascal`, () => rascal.publish(payload)) },
    ]
    if (python !== null)
      peers.push({
        name: 'oslo.messaging (Python)',
        async turn(durationMs) {
          const task = { do: 'notify', topic, callers: concurrency, bytes: BYTES, seconds: durationMs / 1000 }
          const turn = pythonTurn(await python.ask(task))
          await handWritten.purge(`${topic}.info`)
          return turn
        },
      })
    rows.push(
      ...(await duel({
        workload: { name: 'notify', concurrency, bytes: BYTES },
        ours: { name: 'ours', turn: turnOf(`${topic}.info`, () => notifier.info({}, 'bench', payload)) },
        peers,
        pairs: quick ? 5 : 11,
        turnMs: quick ? 400 : 800,
      })),
    )
  }
  await Promise.all([handWritten.close(), nest.close(), rascal.close()])
  return rows
}

/** A turn fills the queue while nobody reads, then lets one contestant read all of it. Timed from the first
 *  notification in a handler to the last. Latency is the time between two. */
async function listen(bus: NotificationTransport, amqp: string, { quick, wants, say }: SuiteOptions): Promise<Row[]> {
  const workload = { name: 'listen', concurrency: 1, bytes: BYTES }
  if (!wants(workload)) return []
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const count = quick ? 5_000 : 20_000
  const filler = await createHandWrittenNotifier(amqp, `${topic}.info`)
  const reading = (open: (onNotification: () => void) => Promise<{ close(): Promise<void> }>) => async () => {
    await fill(filler, count)
    const countdown = new Countdown(count)
    const listener = await open(() => countdown.step())
    const turn = await countdown.done
    await listener.close()
    return turn
  }
  say(`reading a backlog of ${count}`)
  const rows = await duel({
    workload,
    ours: {
      name: 'ours',
      turn: reading(async (onNotification) => {
        const endpoint = { info: onNotification }
        const listener = getNotificationListener(bus, [new Target({ topic })], [endpoint])
        await listener.start()
        return {
          async close() {
            await listener.stop()
            await listener.wait()
          },
        }
      }),
    },
    peers: [
      {
        name: 'hand-written',
        turn: reading((onNotification) => createHandWrittenListener(amqp, `${topic}.info`, onNotification)),
      },
    ],
    pairs: quick ? 3 : 7,
    turnMs: 0,
    warmUpMs: 1,
  })
  await filler.close()
  return rows
}

async function fill(notifier: HandWrittenNotifier, count: number): Promise<void> {
  let sent = 0
  const work = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      await notifier.info('bench', payload)
    }
  }
  await Promise.all(Array.from({ length: 200 }, work))
}
