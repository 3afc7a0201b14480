import { Worker } from 'node:worker_threads'

/** A parser that never ends holds its whole process, so another thread has to see it. */
const WATCHER = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const { counter, texts, mostMs, pid } = workerData
const numbers = new Int32Array(counter)
let seen = -1
setInterval(() => {
  const now = Atomics.load(numbers, 0)
  if (now !== seen || now < 0) { seen = now; return }
  writeSync(2, texts + ': input ' + now + ' has not been read after ' + mostMs + ' ms; this process is stopped.\\n')
  process.kill(pid, 'SIGKILL')
}, mostMs)
`

/** Ends the process, with a word on which input it was, when the same input is being read for `mostMs`. */
export class HangWatch {
  readonly #numbers: Int32Array
  readonly #worker: Worker

  constructor(texts: string, mostMs: number) {
    const counter = new SharedArrayBuffer(4)
    this.#numbers = new Int32Array(counter)
    Atomics.store(this.#numbers, 0, -1)
    this.#worker = new Worker(WATCHER, { eval: true, workerData: { counter, texts, mostMs, pid: process.pid } })
  }

  /** The input that is being read from now on. */
  at(index: number): void {
    Atomics.store(this.#numbers, 0, index)
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
