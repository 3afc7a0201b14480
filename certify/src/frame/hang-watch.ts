import { Worker } from 'node:worker_threads'

const BEAT_MS = 500

/** Notices that the event loop of this process stands still, which nothing inside it can: a worker counts its beats.
 *  After 60 s without one it writes what was being done to `hang.json` and kills the process; brokers go with it. */
export class HangWatch implements Disposable {
  readonly #worker: Worker
  readonly #beats = new Int32Array(new SharedArrayBuffer(4))
  readonly #timer: NodeJS.Timeout

  constructor(folder: string) {
    this.#worker = new Worker(new URL('./hang-watch-worker.js', import.meta.url), {
      workerData: { folder, beats: this.#beats },
    })
    this.#worker.unref()
    this.#timer = setInterval(() => Atomics.add(this.#beats, 0, 1), BEAT_MS)
    this.#timer.unref()
  }

  /** What is to be written should it hang from now on. */
  doing(what: string): void {
    this.#worker.postMessage(what, [])
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    void this.#worker.terminate()
  }
}
