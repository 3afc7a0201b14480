import type { Hits, Nemesis, Strike } from './nemesis.ts'
import type { Phase } from './plan.ts'
import type { Random } from '@oslo-messaging/conformance/faults'

export interface SchedulerOptions {
  readonly nemeses: readonly Nemesis[]
  readonly random: Random
  /** Milliseconds since the history began. */
  readonly now: () => number
  readonly onStrike: (strike: Strike) => void
}

/** Lets nemeses strike as a plan says, and remembers when they did. */
export class Scheduler {
  readonly strikes: Strike[] = []
  /** Strikes that could not be made or ended. */
  readonly failures: string[] = []
  readonly #options: SchedulerOptions

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Resolves when all nemeses of the phase have ended their trouble; what they could not do is among the failures. */
  async run(phase: Phase): Promise<void> {
    await Promise.all(phase.nemeses.map((name) => this.#strike(phase, this.#nemesis(name))))
  }

  /** Nemeses of these names that hit nothing in the whole run. */
  missed(names: Iterable<string>): readonly string[] {
    const hit = new Set(this.strikes.filter(({ count }) => count > 0).map(({ nemesis }) => nemesis))
    return [...new Set(names)].filter((name) => !hit.has(name))
  }

  async #strike({ number, forMs }: Phase, nemesis: Nemesis): Promise<void> {
    const { random, now, onStrike } = this.#options
    const fromMs = now()
    let hits: Hits
    try {
      hits = await nemesis.strike({ random: random.fork(`${number}/${nemesis.name}`), forMs })
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.failures.push(`${nemesis.name} in phase ${number}: ${text}`)
      hits = { count: 0, says: `failed: ${text}` }
    }
    const strike = { nemesis: nemesis.name, phase: number, fromMs, toMs: now(), ...hits }
    this.strikes.push(strike)
    onStrike(strike)
  }

  #nemesis(name: string): Nemesis {
    const nemesis = this.#options.nemeses.find((each) => each.name === name)
    if (nemesis === undefined) throw new RangeError(`There is no nemesis ${JSON.stringify(name)}`)
    return nemesis
  }
}
