// A program that uses the driver and prints nothing itself: whatever its output holds came from the library. Arguments:
// URL, topic, then what is to happen: `work` sends and listens over idle and busy times; `refused` has nobody to talk
// to. The last lines come from here and say that it was done, on which Node.
import { writeSync } from 'node:fs'
import { listen, openReal, send } from './open-driver.ts'

const [url = '', topic = '', what = 'work'] = process.argv.slice(2)
const ROUNDS = 5
/** Long enough for the timers of an idle connection to fire many times. */
const IDLE_MS = 300
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const warnings: string[] = []
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`))

const driver = await openReal(url, { logger: silent })
if (what === 'refused') {
  const outcomes = await Promise.allSettled([
    send(driver, `${topic}.info`, 1, { timeoutMs: 1500 }),
    listen(driver, topic, { timeoutMs: 1500 }),
  ])
  if (outcomes.some(({ status }) => status === 'fulfilled')) throw new Error('Somebody answered')
} else {
  const received = await listen(driver, topic, { pool: topic })
  for (let round = 1; round <= ROUNDS; round += 1) {
    await Promise.all(Array.from({ length: 200 }, async (_, n) => await send(driver, `${topic}.info`, n)))
    await received.until(200 * round)
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  }
}
await driver.close()
writeSync(1, `done ${what} on ${process.version} warnings ${JSON.stringify(warnings)}\n`)
