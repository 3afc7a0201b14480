// A service in a process of its own, to be drained by SIGTERM. Arguments: URL, topic, `rpc` or `notifications`, options
// of getMessaging's configuration as JSON, patience of the drain and time of a handler in milliseconds. Prints `ready`,
// `+ <id>` when a handler begins, `= <id>` when it ends, and `abandoned <count>` at its end.
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { type ConfigOverrides, consoleLogger, getMessaging } from '@oslo-messaging/core'

const [url = '', topic = '', kind = '', overrides = '{}', timeoutMs = '', handlerMs = ''] = process.argv.slice(2)
const isRpc = kind === 'rpc'
const messaging = await getMessaging({
  url,
  rpc: isRpc,
  notifications: !isRpc,
  overrides: JSON.parse(overrides) as ConfigOverrides,
  logger: consoleLogger({
    level: 'warn',
    console: {
      debug() {},
      info() {},
      warn: (...line) => console.error(...line),
      error: (...line) => console.error(...line),
    },
  }),
})

async function handle(id: unknown): Promise<string> {
  writeSync(1, `+ ${String(id)}\n`)
  await sleep(Number(handlerMs))
  writeSync(1, `= ${String(id)}\n`)
  return `first ${String(id)}`
}

if (isRpc)
  messaging.server(
    { topic, server: 'first' },
    { work: async (_context: object, { id }: { id: number }) => await handle(id) },
  )
else
  messaging.listener(
    [{ topic }],
    [{ info: async (_context, _publisherId, _eventType, payload) => void (await handle(payload)) }],
  )
await messaging.start()
messaging.handleSignals({
  timeoutMs: Number(timeoutMs),
  then: (report) => void writeSync(1, `abandoned ${report.abandoned}\n`),
})
writeSync(1, 'ready\n')
// It ends with the test that started it.
process.stdin.on('close', () => process.exit(3)).resume()
