import { randomUUID } from 'node:crypto'
import { NEWEST_PYTHON, startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { startServer } from '../child.ts'
import { type Contestant, duel } from '../duel.ts'
import { amqpUrl, createHandWrittenClient } from '../peers/amqplib-rpc.ts'
import { createMoleculerClient } from '../peers/moleculer-rpc.ts'
import { createNestClient } from '../peers/nestjs-rmq.ts'
import { PAYLOADS } from '../payloads.ts'
import { createPreparedClient } from '../peers/prepared-frames.ts'
import { pythonTurn, startPython } from '../python.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn } from '../turn.ts'

const TIMEOUT_MS = 60_000
/** Callers while clients and servers run in. */
const MANY = 64
const RUN_IN_BYTES = 1024

interface EchoMethods {
  echo(args: { text: unknown }): unknown
}

/** Calls through RabbitMQ. Every contestant has a server of its own, in a process of its own; Python's client is a
 *  process of its own as well. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  say('starting RabbitMQ')
  await using broker = await startBroker('rabbit')
  const amqp = amqpUrl(broker.url)
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const topicOf = (name: string): string => `${topic}_${name}`
  say('starting the servers')
  await using _ours = await startServer('rpc-ours', [broker.url, topicOf('ours')])
  await using _peer = await startServer('rpc-peer', [amqp, topicOf('peer')])
  await using _floor = await startServer('rpc-prepared', [amqp, topicOf('floor')])
  await using _nest = await startServer('rpc-nestjs', [amqp, topicOf('nest')])
  await using _moleculer = await startServer('rpc-moleculer', [amqp, topicOf('moleculer')])
  // A machine without Python goes without that contestant.
  const withoutPython = (error: unknown): null => {
    say(`without Python: ${String(error)}`)
    return null
  }
  await using _python = await startPython('rabbit', [broker.url, 'server', topicOf('python')]).catch(withoutPython)
  await using python = await startPython('rabbit', [broker.url, 'client']).catch(withoutPython)

  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  await using transport = await getRpcTransport(await loadConfig(), { url: broker.url, registry })
  const client = getRpcClient<EchoMethods>(transport, new Target({ topic: topicOf('ours') }), { timeoutMs: TIMEOUT_MS })
  const handWritten = await createHandWrittenClient(amqp, topicOf('peer'), TIMEOUT_MS)
  const nest = await createNestClient(amqp, topicOf('nest'))
  const moleculer = await createMoleculerClient(amqp, topicOf('moleculer'))

  const pythonTurns = (callers: number, bytes: number) => async (durationMs: number) => {
    const task = { do: 'call', topic: topicOf('python'), callers, bytes, seconds: durationMs / 1000 }
    return pythonTurn(await python?.ask(task))
  }
  // As for AMQP 1.0: one caller makes too few calls for that, and what is compiled during the turns, not what a call
  // costs, would be measured.
  say('running in')
  const runInMs = quick ? 3_000 : 5_000
  const runInArgs = { text: 'x'.repeat(RUN_IN_BYTES) }
  const runInFloor = await createPreparedClient(amqp, topicOf('floor'), RUN_IN_BYTES)
  for (const call of [
    () => client.call({}, 'echo', runInArgs),
    () => handWritten.call('echo', runInArgs),
    () => nest.call('echo', runInArgs),
    () => moleculer.call('echo', runInArgs),
    () => runInFloor.call(),
  ])
    await takeTurn(call, { concurrency: MANY, durationMs: runInMs })
  await runInFloor.close()
  if (python !== null) await pythonTurns(MANY, RUN_IN_BYTES)(runInMs)

  const rows: Row[] = []
  for (const bytes of quick ? [1024] : [100, 1024, 65_536]) {
    const args = { text: 'x'.repeat(bytes) }
    for (const concurrency of quick ? [1, 64] : [1, 16, 64]) {
      if (!wants({ name: 'call', concurrency })) continue
      say(`call, ${concurrency} at once, ${bytes} bytes`)
      const turnOf = (operation: () => unknown) => (durationMs: number) =>
        takeTurn(operation, { concurrency, durationMs })
      const peers: Contestant[] = [
        { name: 'hand-written', turn: turnOf(() => handWritten.call('echo', args)) },
        { name: 'NestJS RMQ', turn: turnOf(() => nest.call('echo', args)) },
        { name: 'Moleculer', turn: turnOf(() => moleculer.call('echo', args)) },
      ]
      const floor = await createPreparedClient(amqp, topicOf('floor'), bytes)
      peers.push({ name: 'prepared frames', turn: turnOf(() => floor.call()) })
      if (python !== null) peers.push({ name: 'oslo.messaging (Python)', turn: pythonTurns(concurrency, bytes) })
      rows.push(
        ...(await duel({
          workload: { name: 'call', concurrency, bytes },
          ours: { name: 'ours', turn: turnOf(() => client.call({}, 'echo', args)) },
          peers,
          pairs: quick ? 7 : 11,
          turnMs: quick ? 500 : 800,
        })),
      )
      await floor.close()
    }
  }
  for (const [kind, payloadOf] of Object.entries(PAYLOADS)) {
    const name = `call, ${kind}`
    const [bytes, concurrency] = [65_536, 32]
    if (quick || !wants({ name, concurrency })) continue
    say(`${name}, ${concurrency} at once, ${bytes} bytes`)
    const args = { text: payloadOf(bytes) }
    const turnOf = (operation: () => unknown) => (durationMs: number) =>
      takeTurn(operation, { concurrency, durationMs })
    rows.push(
      ...(await duel({
        workload: { name, concurrency, bytes },
        ours: { name: 'ours', turn: turnOf(() => client.call({}, 'echo', args)) },
        peers: [{ name: 'hand-written', turn: turnOf(() => handWritten.call('echo', args)) }],
        pairs: 11,
        turnMs: 800,
      })),
    )
  }
  await Promise.all([handWritten.close(), nest.close(), moleculer.close()])
  const versions = python === null ? {} : { 'oslo.messaging': NEWEST_PYTHON.version }
  return { rows, brokers: { rabbitmq: broker.version, ...versions } }
}
