import { randomUUID } from 'node:crypto'
import { BrokerUnavailable, LAST_PYTHON_WITH_AMQP10, startBroker } from '@oslo-messaging/brokers'
import { amqpDriver } from '@oslo-messaging/amqp'
import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { startServer } from '../child.ts'
import { type Contestant, duel } from '../duel.ts'
import { createHandWrittenClient } from '../peers/rhea-rpc.ts'
import { startPython } from '../python.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn, type Turn } from '../turn.ts'

const TIMEOUT_MS = 60_000
const BYTES = 1024
/** Callers while clients and servers run in. */
const MANY = 64

interface EchoMethods {
  echo(args: { text: string }): string
}

/** Calls through Artemis, answered by a server in a process of its own: ours, the hand-written one and Python each have
 *  theirs. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  say('starting Artemis')
  await using broker = await startBroker('artemis', { jit: 'full' })
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const [oursTopic, peerTopic, pythonTopic] = [`${topic}_ours`, `${topic}_peer`, `${topic}_python`]
  say('starting the servers')
  await using _ours = await startServer('rpc-ours', [broker.url, oursTopic])
  await using _peer = await startServer('rpc-rhea', [broker.url, peerTopic])
  const withoutPython = (error: unknown): undefined => {
    if (!(error instanceof BrokerUnavailable)) throw error
    say(`without Python: ${error.message}`)
  }
  const python = (role: string) =>
    startPython('amqp', [role, broker.url, pythonTopic], LAST_PYTHON_WITH_AMQP10).catch(withoutPython)
  await using pythonServer = await python('server')
  await using pythonClient = pythonServer === undefined ? undefined : await python('client')

  const registry = createDriverRegistry({ drivers: [amqpDriver], discover: false })
  await using transport = await getRpcTransport(await loadConfig(), { url: broker.url, registry })
  const client = getRpcClient<EchoMethods>(transport, new Target({ topic: oursTopic }), { timeoutMs: TIMEOUT_MS })
  const handWritten = await createHandWrittenClient(broker.url, peerTopic, TIMEOUT_MS)

  const args = { text: 'x'.repeat(BYTES) }
  const callOurs = () => client.call({}, 'echo', args)
  const callPeer = () => handWritten.call('echo', args)
  // One caller makes too few calls for that: what is compiled again during the turns, and not what a call costs, would
  // be measured.
  say('running in')
  for (const call of [callOurs, callPeer])
    await takeTurn(call, { concurrency: MANY, durationMs: quick ? 3_000 : 5_000 })
  const rows: Row[] = []
  for (const concurrency of [1, 16, MANY]) {
    if (!wants({ name: 'call', concurrency })) continue
    say(`call, ${concurrency} at once`)
    const turnOf = (operation: () => unknown) => (durationMs: number) =>
      takeTurn(operation, { concurrency, durationMs })
    const peers: Contestant[] = [{ name: 'hand-written', turn: turnOf(callPeer) }]
    if (pythonClient !== undefined && concurrency === MANY)
      peers.push({
        name: 'Python 14.9.3',
        turn: async (durationMs) => (await pythonClient.ask({ concurrency, durationMs, ...args })) as Turn,
      })
    rows.push(
      ...(await duel({
        workload: { name: 'call', concurrency, bytes: BYTES },
        ours: { name: 'ours', turn: turnOf(callOurs) },
        peers,
        pairs: quick ? 11 : 15,
        turnMs: quick ? 350 : 700,
        // The broker compiles what it runs as well.
        warmUpMs: quick ? 1_000 : 3_000,
      })),
    )
  }
  await handWritten.close()
  return { rows, brokers: { artemis: broker.version } }
}
