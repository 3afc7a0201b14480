import { createInterface } from 'node:readline'
import { readConfiguration } from '../broker/connect.ts'
import { createIo, type Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import type { SimulatedEvent } from './event.ts'
import { LocalWorker } from './worker.ts'
import type { WorkerLine, WorkerOrder } from './worker-process.ts'

/** The program of a worker process: orders on stdin, what happened on stdout. */

const TELL_MS = 100
/** Ctrl-C at a terminal, and its end, reach every process of the run; the first one says what is to be done. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const write = (line: WorkerLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
const halted = new AbortController()
let waiting: SimulatedEvent[] = []
const flush = (): void => {
  if (waiting.length === 0) return
  write({ events: waiting })
  waiting = []
}

async function main(): Promise<void> {
  const io: Io = createIo({
    out: () => {},
    err: (text) => void process.stderr.write(text),
    env: process.env,
  })
  let worker: LocalWorker | undefined
  let sending: Promise<void> = Promise.resolve()
  const timer = setInterval(flush, TELL_MS)
  try {
    for await (const text of createInterface({ input: process.stdin })) {
      const order = JSON.parse(text) as WorkerOrder
      if ('plan' in order) {
        worker = new LocalWorker(order.plan, await readConfiguration(order.plan, io), io, (events) =>
          waiting.push(...events),
        )
        write({ ready: await worker.open() })
      } else if ('begin' in order)
        sending = (worker?.send(BigInt(order.begin), halted.signal) ?? Promise.resolve()).then(() => {
          flush()
          write({ sent: true })
        })
      else halted.abort()
    }
    halted.abort()
    await sending
  } catch (error) {
    write({ failed: errorText(error) })
  } finally {
    await worker?.close()
    clearInterval(timer)
    flush()
  }
}

await main()
// Whatever a driver still holds is not waited for.
process.stdout.end(() => process.exit(0))
