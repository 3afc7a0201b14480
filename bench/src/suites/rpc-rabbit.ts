import { randomUUID } from 'node:crypto'
import { startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { startServer } from '../child.ts'
import { duel } from '../duel.ts'
import { amqpUrl, createHandWrittenClient } from '../peers/amqplib-rpc.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn } from '../turn.ts'

const TIMEOUT_MS = 60_000

interface EchoMethods {
  echo(args: { text: string }): string
}

/** Calls through RabbitMQ, answered by a server in a process of its own: ours and the hand-written one each have their own. */
export async function run({ quick, say }: SuiteOptions): Promise<SuiteOutcome> {
  say('starting RabbitMQ')
  await using broker = await startBroker('rabbit')
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const [oursTopic, peerTopic] = [`${topic}_ours`, `${topic}_peer`]
  say('starting the two servers')
  await using _ours = await startServer('rpc-ours', [broker.url, oursTopic])
  await using _peer = await startServer('rpc-peer', [amqpUrl(broker.url), peerTopic])

  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  await using transport = await getRpcTransport(await loadConfig(), { url: broker.url, registry })
  const client = getRpcClient<EchoMethods>(transport, new Target({ topic: oursTopic }), { timeoutMs: TIMEOUT_MS })
  const handWritten = await createHandWrittenClient(amqpUrl(broker.url), peerTopic, TIMEOUT_MS)

  const rows: Row[] = []
  for (const bytes of quick ? [1024] : [100, 1024, 65_536]) {
    const args = { text: 'x'.repeat(bytes) }
    for (const concurrency of quick ? [1, 64] : [1, 16, 64]) {
      say(`call, ${concurrency} at once, ${bytes} bytes`)
      const turnOf = (operation: () => unknown) => (durationMs: number) =>
        takeTurn(operation, { concurrency, durationMs })
      rows.push(
        ...(await duel({
          workload: { name: 'call', concurrency, bytes },
          ours: { name: 'ours', turn: turnOf(() => client.call({}, 'echo', args)) },
          peers: [{ name: 'hand-written', turn: turnOf(() => handWritten.call('echo', args)) }],
          pairs: quick ? 11 : 15,
          turnMs: quick ? 350 : 700,
        })),
      )
    }
  }
  await handWritten.close()
  return { rows, brokers: { rabbitmq: broker.version } }
}
