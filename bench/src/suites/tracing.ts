import { randomUUID } from 'node:crypto'
import { startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { startServer } from '../child.ts'
import { duel } from '../duel.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { trace } from '../traced.ts'
import { takeTurn } from '../turn.ts'

const TIMEOUT_MS = 60_000
const BYTES = 1024

interface EchoMethods {
  echo(args: { text: string }): string
}

/** Calls through RabbitMQ with spans on both sides, all recorded or none of them, against the same without an
 *  interceptor. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  say('starting RabbitMQ')
  await using broker = await startBroker('rabbit')
  const topic = `bench_${randomUUID().slice(0, 8)}`
  const opened: AsyncDisposable[] = []
  await using _opened = {
    [Symbol.asyncDispose]: async () => {
      for (const each of opened.toReversed()) await each[Symbol.asyncDispose]()
    },
  }
  const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
  const args = { text: 'x'.repeat(BYTES) }
  const calling = async (name: string, isRecorded?: boolean): Promise<() => unknown> => {
    const own = `${topic}_${name}`
    const words = isRecorded === undefined ? [] : [isRecorded ? 'recorded' : 'unrecorded']
    opened.push(await startServer('rpc-ours', [broker.url, own, ...words]))
    const transport = await getRpcTransport(await loadConfig(), { url: broker.url, registry })
    opened.push(transport)
    if (isRecorded !== undefined) trace(transport, isRecorded)
    const client = getRpcClient<EchoMethods>(transport, new Target({ topic: own }), { timeoutMs: TIMEOUT_MS })
    return () => client.call({}, 'echo', args)
  }
  const plain = await calling('plain')
  const unrecorded = await calling('unrecorded', false)
  const recorded = await calling('recorded', true)
  const rows: Row[] = []
  for (const concurrency of [1, 64]) {
    if (!wants({ name: 'call', concurrency })) continue
    const turnOf = (operation: () => unknown) => (durationMs: number) =>
      takeTurn(operation, { concurrency, durationMs })
    for (const [name, operation] of [
      ['recorded', recorded],
      ['not recorded', unrecorded],
    ] as const) {
      say(`call, ${concurrency} at once, spans ${name}`)
      rows.push(
        ...(await duel({
          workload: { name: `call, spans ${name}`, concurrency, bytes: BYTES },
          ours: { name, turn: turnOf(operation) },
          peers: [{ name: 'not traced', turn: turnOf(plain) }],
          pairs: quick ? 11 : 21,
          turnMs: quick ? 500 : 800,
          warmUpMs: 3_000,
        })),
      )
    }
  }
  return { rows, brokers: { rabbit: broker.version } }
}
