import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const EVERY_MS = 20

/** Tells how late the event loop was, so that a machine that is busy otherwise is not blamed on what is tested, and how
 *  much of it was our own work. */
export class LoopWatch {
  readonly #timer: NodeJS.Timeout
  readonly #collect: () => void
  #last = performance.now()
  #lastCpu = process.cpuUsage()
  /** Since `begin`: when the loop was late, and how much. */
  readonly #late: { readonly at: number; readonly ms: number }[] = []
  /** The most processor time that went by between two ticks since `begin`. */
  worstMs = 0

  constructor() {
    setFlagsFromString('--expose-gc')
    this.#collect = runInNewContext('gc') as () => void
    this.#timer = setInterval(() => this.#tick(), EVERY_MS)
  }

  begin(): void {
    this.#late.length = 0
    this.worstMs = 0
  }

  /** How much of the time since then the loop stood still; what begins in it may have to wait for it several times. */
  lateSince(time: number): number {
    const now = performance.now() - this.#last - EVERY_MS
    return this.#late.reduce((sum, { at, ms }) => (at > time ? sum + ms : sum), Math.max(0, now))
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
    const ms = now - this.#last - EVERY_MS
    if (ms > EVERY_MS) this.#late.push({ at: now, ms })
    const { user, system } = process.cpuUsage(this.#lastCpu)
    this.worstMs = Math.max(this.worstMs, (user + system) / 1000)
    this.#last = now
    this.#lastCpu = process.cpuUsage()
  }
}
