import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Target,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { startServer } from '../child.ts'
import { type Contestant, duel } from '../duel.ts'
import { amqpUrl, bindTopics, createHandWrittenClient } from '../peers/amqplib-rpc.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn, type Turn } from '../turn.ts'

const TIMEOUT_MS = 60_000
const CONCURRENCY = 16
const FEW = 100
const MANY = 1000
const IDLE = 500
const args = { text: 'x'.repeat(100) }

interface EchoMethods {
  echo(args: { text: string }): string
}

/** What many of something cost, against few of it. The bounds are those of CPU time: with a thousand queues or bindings
 *  the broker has more to do as well. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  say('starting RabbitMQ')
  await using broker = await startBroker('rabbit')
  const amqp = amqpUrl(broker.url)
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  const conf = await loadConfig()
  const open = () => getRpcTransport(conf, { url: broker.url, registry })
  const rows: Row[] = []
  const compare = async (name: string, many: Contestant, few: Contestant): Promise<void> => {
    say(name)
    const compared = await duel({
      workload: { name, concurrency: CONCURRENCY, bytes: args.text.length },
      ours: many,
      peers: [few],
      pairs: quick ? 7 : 15,
      turnMs: quick ? 400 : 800,
      warmUpMs: quick ? 1000 : 3000,
    })
    for (const { ours, peer } of compared)
      say(`${name}: CPU ${(ours.cpuUsPerOp / peer.cpuUsPerOp).toFixed(2)} of ${peer.name}`)
    rows.push(...compared)
  }
  const turnOf = (operation: () => unknown) => (durationMs: number) =>
    takeTurn(operation, { concurrency: CONCURRENCY, durationMs })

  const topics = `topics, ${MANY}`
  const timeouts = 'timeouts, each its own'
  if ([topics, timeouts].some((name) => wants({ name, concurrency: CONCURRENCY }))) {
    await using _server = await startServer('rpc-peer', [amqp, topic])
    await using transport = await open()
    const names = Array.from({ length: MANY }, (_, index) => `${topic}_${index}`)
    await bindTopics(amqp, topic, names)
    const clients = names.map((name) =>
      getRpcClient<EchoMethods>(transport, new Target({ topic: name }), { timeoutMs: TIMEOUT_MS }),
    )
    let calls = 0
    const callOneOf = (count: number): Contestant => ({
      name: `${count}`,
      turn: turnOf(() => clients[(calls += 1) % count]?.call({}, 'echo', args)),
    })
    if (wants({ name: topics, concurrency: CONCURRENCY })) await compare(topics, callOneOf(MANY), callOneOf(FEW))
    const callWithin = (name: string, timeoutMs: () => number): Contestant => ({
      name,
      turn: turnOf(() => clients[0]?.call({}, 'echo', args, { timeoutMs: timeoutMs() })),
    })
    const own = (): number => TIMEOUT_MS + ((calls += 7) % TIMEOUT_MS)
    if (wants({ name: timeouts, concurrency: CONCURRENCY }))
      await compare(
        timeouts,
        callWithin('each its own', own),
        callWithin('one for all', () => TIMEOUT_MS),
      )
  }

  const replyQueues = `reply queues, ${MANY}`
  if (wants({ name: replyQueues, concurrency: CONCURRENCY })) {
    await using server = await startServer('rpc-ours', [broker.url, topic])
    const answering = async (count: number): Promise<Contestant & { close(): Promise<void> }> => {
      const client = await createHandWrittenClient(amqp, topic, TIMEOUT_MS, count)
      const turn = turnOf(() => client.call('echo', args))
      return {
        name: `${count}`,
        async turn(durationMs) {
          // What counts is what the server spends.
          const before = Number(await server.ask('cpu'))
          const taken = await turn(durationMs)
          return { ...taken, cpuUs: Number(await server.ask('cpu')) - before }
        },
        close: async () => await client.close(),
      }
    }
    const [many, few] = [await answering(MANY), await answering(FEW)]
    await compare(replyQueues, many, few)
    await many.close()
    await few.close()
  }

  const idle = { name: 'idle servers, writes to the broker', concurrency: IDLE }
  if (wants(idle)) {
    say(idle.name)
    const idling = (count: number): Contestant => ({
      name: `${count} servers`,
      async turn(durationMs) {
        await using transport = await open()
        const servers = Array.from({ length: count }, (_, index) =>
          getRpcServer(transport, new Target({ topic: `${topic}_idle_${index}`, server: 'one' }), [{ echo: () => '' }]),
        )
        await Promise.all(servers.map(async (server) => await server.start()))
        // The first round of questions begins within this time.
        await sleep(5000)
        return await countWrites(durationMs)
      },
    })
    const durationMs = quick ? 10_000 : 30_000
    rows.push(
      ...(await duel({
        workload: { ...idle, bytes: 0 },
        ours: idling(IDLE),
        peers: [idling(FEW)],
        pairs: 1,
        turnMs: durationMs,
        warmUpMs: 0,
      })),
    )
  }
  return { rows, brokers: { rabbitmq: broker.version } }
}

type Write = (...parameters: unknown[]) => unknown

/** An operation is one write to a socket. */
async function countWrites(durationMs: number): Promise<Turn> {
  let operations = 0
  const originals = ['_write', '_writev'].map((name) => [name, Reflect.get(Socket.prototype, name) as Write] as const)
  for (const [name, write] of originals)
    Reflect.set(Socket.prototype, name, function (this: unknown, ...parameters: unknown[]) {
      operations += 1
      return Reflect.apply(write, this, parameters)
    })
  const { user, system } = process.cpuUsage()
  const startedAt = performance.now()
  try {
    await sleep(durationMs)
  } finally {
    for (const [name, write] of originals) Reflect.set(Socket.prototype, name, write)
  }
  const used = process.cpuUsage({ user, system })
  const elapsedMs = performance.now() - startedAt
  return { operations, elapsedMs, cpuUs: used.user + used.system, latenciesMs: [elapsedMs / Math.max(1, operations)] }
}
