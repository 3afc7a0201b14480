import type { Turn } from './turn.ts'

/** Times a known number of steps, from the first to the last. */
export class Countdown {
  readonly #count: number
  readonly #latenciesMs: number[] = []
  #startedAt = 0
  #lastAt = 0
  #cpuBefore: NodeJS.CpuUsage | undefined
  #resolve!: (turn: Turn) => void
  /** Resolves with the last step. */
  readonly done: Promise<Turn> = new Promise((resolve) => {
    this.#resolve = resolve
  })

  constructor(count: number) {
    this.#count = count
  }

  /** One message has reached its handler. */
  step(): void {
    const now = performance.now()
    if (this.#cpuBefore === undefined) {
      this.#cpuBefore = process.cpuUsage()
      this.#startedAt = now
    } else this.#latenciesMs.push(now - this.#lastAt)
    this.#lastAt = now
    // The first step starts the time and is not counted.
    if (this.#latenciesMs.length !== this.#count - 1) return
    const { user, system } = process.cpuUsage(this.#cpuBefore)
    const operations = Math.max(1, this.#count - 1)
    this.#resolve({
      operations,
      elapsedMs: now - this.#startedAt,
      cpuUs: user + system,
      latenciesMs: this.#latenciesMs,
    })
  }
}
