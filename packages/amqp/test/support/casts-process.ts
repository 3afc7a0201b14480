// Casts to itself and measures its own memory; run with --expose-gc. Arguments: URL, topic, how many.
// Prints `heap <MB>` (heap and buffers after a collection) twenty times on the way, and `handled <count>` at the end.
import {
  createDriverRegistry,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  Target,
} from '@oslo-messaging/core'
import { amqpDriver } from '../../src/index.ts'

const [url = '', topic = '', count = '0'] = process.argv.slice(2)
const TOTAL = Number(count)
const CALLERS = 200
/** More than that are never on their way, so that what is measured is this process and not the depth of a queue. */
const MOST_UNHANDLED = 2000
const collect = globalThis.gc ?? (() => {})

let [sent, handled] = [0, 0]
let wake = (): void => {}
const endpoint = {
  note(_context: object, _args: { text: string }): void {
    handled += 1
    wake()
  },
}
const registry = createDriverRegistry({ drivers: [amqpDriver], discover: false })
const transport = await getRpcTransport(await loadConfig(), { url, registry })
const server = getRpcServer(transport, new Target({ topic, server: 'self' }), [endpoint])
await server.start()
const client = getRpcClient<typeof endpoint>(transport, new Target({ topic }))

/** All callers wait together until no more than so many are on their way. */
let catchingUp: Promise<void> | undefined
function caughtUp(allowed: number): Promise<void> {
  if (sent - handled <= allowed) return Promise.resolve()
  return new Promise((resolve) => {
    wake = () => {
      if (sent - handled > allowed) return
      wake = () => {}
      catchingUp = undefined
      resolve()
    }
  })
}
const text = 'x'.repeat(200)
const caller = async (): Promise<void> => {
  while (sent < TOTAL) {
    sent += 1
    if (sent % (TOTAL / 20) === 0) {
      collect()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      console.log(`heap ${((heapUsed + arrayBuffers) / 1e6).toFixed(1)}`)
    }
    await client.cast({}, 'note', { text })
    if (sent - handled > MOST_UNHANDLED) await (catchingUp ??= caughtUp(MOST_UNHANDLED / 2))
  }
}
await Promise.all(Array.from({ length: CALLERS }, caller))
await caughtUp(0)
console.log(`handled ${handled}`)
await server.stop()
await server.wait()
await transport.close()
