import { randomUUID } from 'node:crypto'
import { startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { startServer } from '../child.ts'
import { duel } from '../duel.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { traceAll } from '../traced.ts'
import { takeTurn } from '../turn.ts'

const TIMEOUT_MS = 60_000
const BYTES = 1024

interface EchoMethods {
  echo(args: { text: string }): string
}

/** Calls through RabbitMQ with spans on both sides, against the same without an interceptor. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  say('starting RabbitMQ')
  await using broker = await startBroker('rabbit')
  const topic = `bench_${randomUUID().slice(0, 8)}`
  await using _traced = await startServer('rpc-ours', [broker.url, `${topic}_traced`, 'traced'])
  await using _plain = await startServer('rpc-ours', [broker.url, `${topic}_plain`])
  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  await using traced = await getRpcTransport(await loadConfig(), { url: broker.url, registry })
  await using plain = await getRpcTransport(await loadConfig(), { url: broker.url, registry })
  traceAll(traced)
  const clientOf = (transport: typeof traced, name: string) =>
    getRpcClient<EchoMethods>(transport, new Target({ topic: `${topic}_${name}` }), { timeoutMs: TIMEOUT_MS })
  const [tracedClient, plainClient] = [clientOf(traced, 'traced'), clientOf(plain, 'plain')]
  const args = { text: 'x'.repeat(BYTES) }
  const rows: Row[] = []
  for (const concurrency of [1, 64]) {
    if (!wants({ name: 'call', concurrency })) continue
    say(`call, ${concurrency} at once`)
    const turnOf = (operation: () => unknown) => (durationMs: number) =>
      takeTurn(operation, { concurrency, durationMs })
    rows.push(
      ...(await duel({
        workload: { name: 'call', concurrency, bytes: BYTES },
        ours: { name: 'traced', turn: turnOf(() => tracedClient.call({}, 'echo', args)) },
        peers: [{ name: 'not traced', turn: turnOf(() => plainClient.call({}, 'echo', args)) }],
        pairs: quick ? 11 : 21,
        turnMs: quick ? 500 : 800,
        warmUpMs: 3_000,
      })),
    )
  }
  return { rows, brokers: { rabbit: broker.version } }
}
