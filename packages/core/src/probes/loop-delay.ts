import { monitorEventLoopDelay } from 'node:perf_hooks'

const WINDOW_MS = 10_000
const RESOLUTION_MS = 20

/** How long the event loop was held up lately: the most of the last ten to twenty seconds. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  readonly #timer: NodeJS.Timeout
  #before = 0

  constructor() {
    this.#histogram.enable()
    this.#timer = setInterval(() => {
      this.#before = this.#worst()
      this.#histogram.reset()
    }, WINDOW_MS)
    this.#timer.unref()
  }

  /** Milliseconds, beyond what its measuring takes. */
  get maxMs(): number {
    return Math.max(0, Math.round(Math.max(this.#before, this.#worst()) - RESOLUTION_MS))
  }

  close(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }

  #worst(): number {
    return this.#histogram.max / 1e6
  }
}
