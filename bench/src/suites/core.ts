import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { readEnvelope, writeEnvelope } from '@oslo-messaging/core/driver'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { directDriver } from '../direct-driver.ts'
import { duel } from '../duel.ts'
import { createHandWrittenBus } from '../peers/in-process.ts'
import { PAYLOADS } from '../payloads.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import { takeTurn } from '../turn.ts'

const TIMEOUT_MS = 60_000
/** Short operations are timed by the hundred. */
const BATCH = 100

interface EchoMethods {
  echo(args: { text: string }): string
}

class Echo {
  echo(_context: object, { text }: { text: string }): string {
    return text
  }
}

type Operation = () => unknown

/** Our own work, without any broker. 1 s / perSec is the time of a message; `cpuUsPerOp` at 64 at once is the work of a
 *  call. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  const pairs = quick ? 5 : 11
  const turnMs = quick ? 200 : 500
  const rows: Row[] = []
  const compare = async (
    name: string,
    { concurrency, bytes, batch = 1 }: { concurrency: number; bytes: number; batch?: number },
    ours: Operation,
    peer: Operation,
  ): Promise<void> => {
    if (!wants({ name, concurrency })) return
    say(`${name}, ${concurrency} at once, ${bytes} bytes`)
    const turnOf = (operation: Operation) => (durationMs: number) =>
      takeTurn(batch === 1 ? operation : repeated(operation, batch), { concurrency, durationMs, batch })
    rows.push(
      ...(await duel({
        workload: { name, concurrency, bytes },
        ours: { name: 'ours', turn: turnOf(ours) },
        peers: [{ name: 'hand-written', turn: turnOf(peer) }],
        pairs,
        turnMs,
      })),
    )
  }

  const methods = { echo: (args: unknown): unknown => (args as { text: string }).text }
  const bus = createHandWrittenBus(methods)
  const sharing = createHandWrittenBus(methods, (message) => message)
  const conf = await loadConfig()
  const registry = createDriverRegistry({ drivers: [memoryDriver, directDriver], discover: false })
  const url = { memory: 'memory://', direct: 'direct://' }

  for (const scheme of ['memory', 'direct'] as const) {
    // `direct` hands each request straight to the server: what is left is core's client and dispatch.
    await using transport = await getRpcTransport(conf, { url: url[scheme], registry })
    const server = getRpcServer(transport, new Target({ topic: 'bench', server: 'one' }), [new Echo()])
    await server.start()
    const client = getRpcClient<EchoMethods>(transport, new Target({ topic: 'bench' }), { timeoutMs: TIMEOUT_MS })
    for (const bytes of quick ? [100] : [100, 1024]) {
      const args = { text: 'x'.repeat(bytes) }
      for (const concurrency of [1, 64]) {
        const [name, peer] =
          scheme === 'memory' ? (['call in process', bus] as const) : (['client and dispatch only', sharing] as const)
        await compare(
          name,
          { concurrency, bytes },
          () => client.call({}, 'echo', args),
          () => peer.call('echo', args, TIMEOUT_MS),
        )
      }
    }
    await server.stop()
    await server.wait()
  }

  for (const bytes of [100, 1024]) {
    const message = messageOf(bytes)
    const body = writeEnvelope(message)
    const sizes = { concurrency: 1, bytes, batch: BATCH }
    await compare(
      'envelope encode',
      sizes,
      () => writeEnvelope(message),
      () => Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })),
    )
    await compare(
      'envelope decode',
      sizes,
      () => readEnvelope(body),
      () => JSON.parse((JSON.parse(body.toString()) as Record<string, string>)['oslo.message'] ?? ''),
    )
  }

  // What real services send: one letter repeated flatters whoever looks for escapes.
  for (const [kind, payloadOf] of Object.entries(PAYLOADS))
    for (const bytes of quick ? [65_536] : [65_536, 1_048_576]) {
      const message = { ...messageOf(0), args: payloadOf(bytes) }
      const body = writeEnvelope(message)
      const sizes = { concurrency: 1, bytes, batch: 4 }
      await compare(
        `bytes of ${kind}`,
        sizes,
        () => writeEnvelope(message),
        () => Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })),
      )
      await compare(
        `read ${kind}`,
        sizes,
        () => readEnvelope(body),
        () => JSON.parse((JSON.parse(body.toString()) as Record<string, string>)['oslo.message'] ?? ''),
      )
    }

  await using notifications = await getNotificationTransport(conf, { url: url.memory, registry })
  const topics = ['bench_notifications']
  const endpoint = { info: () => undefined }
  const targets = topics.map((topic) => new Target({ topic }))
  const listener = getNotificationListener(notifications, targets, [endpoint])
  await listener.start()
  const notifier = new Notifier(notifications, { publisherId: 'bench', driver: 'messagingv2', topics })
  const payload = { text: 'x'.repeat(100) }
  await compare(
    'notify in process',
    { concurrency: 64, bytes: 100 },
    () => notifier.info({}, 'bench', payload),
    () => bus.call('echo', payload, TIMEOUT_MS),
  )
  await listener.stop()
  await listener.wait()
  return { rows }
}

/** A request, as a driver writes it. */
function messageOf(bytes: number): Record<string, unknown> {
  return {
    method: 'echo',
    args: { text: 'x'.repeat(bytes) },
    _msg_id: '0947786d9409463cb834cf6aab82eecf',
    _reply_q: 'reply_55be84d1a0a34bfd9d9855fbc5a71ee1',
    _timeout: null,
    _unique_id: 'c2f88d7040664d528fd59c4f4d6e9d89',
  }
}

/** One operation that does it `batch` times. The results are used, so that the compiler cannot leave the work out. */
function repeated(operation: Operation, batch: number): () => Promise<number> {
  return async () => {
    let used = 0
    for (let index = 0; index < batch; index += 1) if (operation() !== undefined) used += 1
    return used
  }
}
