// Begins notifications of 10 kB all in one turn and measures what the process holds of them; run with --expose-gc.
// Arguments: URL, topic, how many.
// Prints one line of JSON: { begun, sent, refused, heldMiB, peakMiB }: heap and buffers above what they were before,
// after a collection when all have begun, and the most resident memory above it.
import {
  createDriverRegistry,
  getNotificationTransport,
  isMessagingError,
  loadConfig,
  Notifier,
} from '@oslo-messaging/core'
import { amqpDriver } from '../../src/index.ts'

const [url = '', topic = '', count = '0'] = process.argv.slice(2)
const MIB = 1024 * 1024
const collect = globalThis.gc ?? (() => {})
const held = (): number => {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
const registry = createDriverRegistry({ drivers: [amqpDriver], discover: false })
// An address whose messages Artemis takes and drops: what the broker can hold is no part of the question.
const conf = await loadConfig({
  overrides: { oslo_messaging_amqp: { addressing_mode: 'legacy', group_request_prefix: 'small.drop' } },
})
const transport = await getNotificationTransport(conf, { url, registry })
const notifier = new Notifier(transport, {
  publisherId: 'flood',
  driver: 'messagingv2',
  topics: [topic],
  timeoutMs: 60_000,
})
const payload = { text: 'x'.repeat(10_000) }
const notify = (): Promise<void> => notifier.info({}, 'flood', payload)

// What any busy process takes is no part of the question.
for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 100 }, notify))
const before = held()
const resident = process.memoryUsage().rss
let peak = resident
const outcomes: Record<string, number> = {}
const note = (name: string): void => {
  outcomes[name] = (outcomes[name] ?? 0) + 1
}
const ends: Promise<void>[] = []
for (let n = 0; n < Number(count); n += 1)
  ends.push(
    notify().then(
      () => note('sent'),
      (error: unknown) => note(isMessagingError(error) ? error.code : String(error)),
    ),
  )
const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)
await new Promise((resolve) => setImmediate(resolve))
const heldMiB = Math.round((held() - before) / MIB)
peak = Math.max(peak, process.memoryUsage().rss)
await Promise.all(ends)
clearInterval(sampler)
console.log(JSON.stringify({ begun: ends.length, ...outcomes, heldMiB, peakMiB: Math.round((peak - resident) / MIB) }))
await transport.close()
