import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const EVERY_MS = 20

/** Tells how late the event loop was, so that a machine that is busy otherwise is not blamed on what is tested, and how much of it was our own work. */
export class LoopWatch {
  readonly #timer: NodeJS.Timeout
  readonly #collect: () => void
  #last = performance.now()
  #lastCpu = process.cpuUsage()
  /** The longest that the loop was late since `begin`. */
  lateMs = 0
  /** The most processor time that went by between two ticks since `begin`. */
  worstMs = 0

  constructor() {
    setFlagsFromString('--expose-gc')
    this.#collect = runInNewContext('gc') as () => void
    this.#timer = setInterval(() => this.#tick(), EVERY_MS)
  }

  begin(): void {
    this.lateMs = 0
    this.worstMs = 0
  }

  heapBytes(): number {
    this.#collect()
    return process.memoryUsage().heapUsed
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const now = performance.now()
    this.lateMs = Math.max(this.lateMs, now - this.#last - EVERY_MS)
    const { user, system } = process.cpuUsage(this.#lastCpu)
    this.worstMs = Math.max(this.worstMs, (user + system) / 1000)
    this.#last = now
    this.#lastCpu = process.cpuUsage()
  }
}
