// The life of one pod, told by what its supervisor sees: start, work, SIGTERM.
import { fileURLToPath } from 'node:url'
import { createService, DRAIN_MS, type StockMethods, TOPIC } from './service.ts'

const isJson = process.argv.includes('--json')
function tell(event: string, sentence: string, fields: object = {}): void {
  console.log(isJson ? JSON.stringify({ event, ...fields }) : sentence)
}

const { messaging, url, heard } = await createService({
  configFiles: fileURLToPath(new URL('../service.conf', import.meta.url)),
  env: process.env,
  port: 0,
})

async function probe(path: string): Promise<void> {
  const response = await fetch(`${url}${path}`)
  const { reason } = (await response.json()) as { reason?: string }
  tell('probe', `${path} ${response.status}${reason === undefined ? '' : `: ${reason}`}`, {
    path,
    status: response.status,
    reason,
  })
}

await probe('/livez')
await probe('/readyz')
await messaging.start()
await messaging.ready()
await probe('/readyz')

const client = messaging.client<StockMethods>({ topic: TOPIC })
let left = 0
for (let call = 0; call < 20; call += 1) left = await client.call({}, 'take', { item: 'bolt', count: 1 })
tell('calls', `20 calls, ${left} bolts are left`, { calls: 20, left })
while (heard() < 20) await new Promise((resolve) => setTimeout(resolve, 10))
tell('heard', `${heard()} notifications were heard`, { heard: heard() })

const text = await (await fetch(`${url}/metrics`)).text()
/** The sum over all lines of the metric that have the label. */
function sumOf(name: string, label: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
const counts = {
  called: sumOf('oslo_messaging_sends_total', 'operation="call"'),
  served: sumOf('oslo_messaging_handled_total', 'operation="serve"'),
  notified: sumOf('oslo_messaging_sends_total', 'operation="notify"'),
  heard: sumOf('oslo_messaging_handled_total', 'operation="listen"'),
}
tell(
  'metrics',
  `/metrics ${Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')}`,
  counts,
)

// Three calls are in their handlers when the pod is told to end.
messaging.handleSignals({
  timeoutMs: DRAIN_MS,
  then: async ({ abandoned, unsent }) => {
    const replies = await Promise.all(slow)
    tell('drained', `drained: ${replies.length} replies came, ${abandoned} abandoned, ${unsent} unsent`, {
      replies: replies.length,
      abandoned,
      unsent,
    })
  },
})
const slow = [1, 2, 3].map(async () => await client.call({}, 'count_slowly', { item: 'bolt' }))
while (messaging.rpc.load.servers.every(({ running }) => running < 3))
  await new Promise((resolve) => setTimeout(resolve, 5))
process.kill(process.pid, 'SIGTERM')
// A signal reaches its handler a turn of the loop later.
await new Promise((resolve) => setTimeout(resolve, 50))
await probe('/readyz')
await probe('/livez')
