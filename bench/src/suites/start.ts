import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '@oslo-messaging/brokers'
import { startServer } from '../child.ts'
import { duel } from '../duel.ts'
import { amqpUrl } from '../peers/amqplib-rpc.ts'
import { SAY_CPU, timeProcess } from '../process-turn.ts'
import { installPublished } from '../published.ts'
import type { SuiteOptions, SuiteOutcome } from '../result.ts'

/** As a newcomer writes it: the driver is found by the scheme of the URL. */
const OURS = `
import { getRpcClient, getRpcTransport } from '@oslo-messaging/core'
const transport = await getRpcTransport({ url: process.argv[2] })
const client = getRpcClient(transport, { topic: process.argv[3] })
await client.call({}, 'echo', { text: 'x' })
${SAY_CPU}
await transport.close()
`
const HAND_WRITTEN = `
import { createHandWrittenClient } from ${JSON.stringify(import.meta.resolve('../peers/amqplib-rpc.js'))}
const client = await createHandWrittenClient(process.argv[2], process.argv[3], 60_000)
await client.call('echo', { text: 'x' })
${SAY_CPU}
await client.close()
`

/** From the start of a process to the reply of its first call through RabbitMQ; the packages are those that are
 *  published. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  const workload = { name: 'first call on rabbit', concurrency: 1, bytes: 1 }
  if (!wants(workload)) return { rows: [] }
  say('rolling the packages and starting RabbitMQ')
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-bench-'))
  try {
    installPublished(folder, ['core', 'rabbit'])
    const program = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    await using broker = await startBroker('rabbit')
    const [url, topic] = [amqpUrl(broker.url), `bench_${randomUUID().slice(0, 8)}`]
    await using _ours = await startServer('rpc-ours', [broker.url, `${topic}_ours`])
    await using _theirs = await startServer('rpc-peer', [url, `${topic}_theirs`])
    const first = (file: string, args: readonly string[]) => async () =>
      await timeProcess(file, { args, until: 'line' })
    const pairs = quick ? 11 : 41
    say(`${workload.name}, ${pairs} processes of each`)
    const rows = await duel({
      workload,
      ours: { name: 'ours', turn: first(program('ours.mjs', OURS), [broker.url, `${topic}_ours`]) },
      peers: [{ name: 'hand-written', turn: first(program('theirs.mjs', HAND_WRITTEN), [url, `${topic}_theirs`]) }],
      pairs,
      turnMs: 1,
    })
    return { rows, brokers: { rabbitmq: broker.version } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
