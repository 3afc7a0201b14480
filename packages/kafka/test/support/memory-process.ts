// Measures its own memory; run with --expose-gc. Arguments: `backlog` or `million`, URL, topic.
// Prints `heap <MB>` (heap and buffers after a collection) at intervals, and `done` at the end.
import { Deadline, Target } from '@oslo-messaging/core/driver'
import { notification, notifyOptions, openReal } from './open-driver.ts'

const [mode = '', url = '', topic = ''] = process.argv.slice(2)
const TOTAL = 1_000_000
const CALLERS = 1000
const collect = globalThis.gc ?? (() => {})
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const driver = await openReal(url, { logger: silent })
let handled = 0
let onAll = (): void => {}
const all = new Promise<void>((resolve) => {
  onAll = resolve
})

function sample(): void {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  console.log(`heap ${((heapUsed + arrayBuffers) / 1e6).toFixed(1)}`)
  console.log(`handled ${handled}`)
}

async function listen(prefetch: number, handlerMs: number): Promise<void> {
  await driver.listenForNotifications([{ target: new Target({ topic }), priority: 'info' }], {
    deadline: Deadline.after(60_000),
    prefetch,
    pool: topic,
    allowRequeue: false,
    onMessage: (message) => {
      const settle = (): void => {
        handled += 1
        if (handled === TOTAL) onAll()
        message.acknowledge()
      }
      if (handlerMs === 0) settle()
      else setTimeout(settle, handlerMs)
    },
  })
}

if (mode === 'backlog') {
  await listen(16, 5)
  setInterval(sample, 1000)
} else {
  await listen(128, 0)
  const target = new Target({ topic: `${topic}.info` })
  let sent = 0
  const caller = async (): Promise<void> => {
    while (sent < TOTAL) {
      sent += 1
      if (sent % 50_000 === 0) sample()
      await driver.sendNotification(target, notification({ text: 'x'.repeat(100) }), notifyOptions())
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  await all
  sample()
  console.log('done')
  await driver.close()
}
