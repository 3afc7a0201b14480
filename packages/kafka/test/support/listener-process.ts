// A listener in a process of its own, to be killed. Arguments: URL, topic, pool, options as JSON, handler milliseconds.
// Prints `ready`, then `+ <payload>` when a handler begins and `- <payload>` when it has ended; each line is written
// before the next step.
import { writeSync } from 'node:fs'
import type { IncomingNotification } from '@oslo-messaging/core/driver'
import { listen, openReal, type Options } from './open-driver.ts'

const [url = '', topic = '', pool = '', options = '{}', handlerMs = '0'] = process.argv.slice(2)

/** Synchronous, so that what is printed has happened and what has happened is printed, whenever the process is
 *  killed. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}

let waiting = Promise.resolve()

async function handle(message: IncomingNotification): Promise<void> {
  const { payload } = message.message
  say(`+ ${String(payload)}${message.redelivered === true ? ' redelivered' : ''}`)
  if (handlerMs !== '0') await new Promise((resolve) => setTimeout(resolve, Number(handlerMs)))
  say(`- ${String(payload)}`)
  message.acknowledge()
}

const driver = await openReal(url, { options: JSON.parse(options) as Options })
await listen(driver, topic, {
  pool,
  prefetch: 8,
  // One after the other, as an endpoint with one worker.
  onMessage: (message) => {
    waiting = waiting.then(async () => await handle(message))
  },
})
say('ready')
