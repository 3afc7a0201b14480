import { inspect } from 'node:util'

import type { Cell, Stage } from './cell.ts'
import { noteVersion, record } from './results.ts'
import { openStage, type OpenStage } from './stage-run.ts'
import { RELEASES } from '../transports/releases.ts'

export interface Outcome {
  readonly outcome: 'pass' | 'fail' | 'not run'
  readonly ms: number
  readonly error?: unknown
}

/** Most features of a stage at the same time; nearly all of them wait nearly all the time. */
const AT_ONCE = 16
const NOT_RUN = 'this machine cannot have the broker or the Python it needs'

/** Runs stages in their order, some of them side by side. Every cell gets its outcome; nothing here rejects. */
export class MatrixRunner {
  readonly #stages: readonly Stage[]
  readonly #outcomes = new Map<Stage | Cell, Deferred>()
  readonly #openings = new Map<Stage, Deferred>()
  readonly #sideBySide: number
  #started = false

  constructor(stages: readonly Stage[], sideBySide: number) {
    this.#stages = stages
    this.#sideBySide = sideBySide
    for (const stage of stages) {
      this.#openings.set(stage, deferred())
      this.#outcomes.set(stage, deferred())
      for (const cell of stage.cells) this.#outcomes.set(cell, deferred())
    }
  }

  /** What became of opening both sides of a stage: brokers are fetched and Pythons made on first use, which takes its
   *  time. The first question of any kind starts the run. */
  async opened(stage: Stage): Promise<Outcome> {
    this.#start()
    return await known(this.#openings.get(stage)).promise
  }

  /** What became of a cell, or of stopping a stage. */
  async outcome(of: Stage | Cell): Promise<Outcome> {
    this.#start()
    return await known(this.#outcomes.get(of)).promise
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    const queue = [...this.#stages]
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#run(next)
    }
    for (let worker = 0; worker < this.#sideBySide; worker++) void work()
  }

  async #run(stage: Stage): Promise<void> {
    const { row, release } = stage
    const applicable = stage.cells.filter((cell) => cell.notApplicable === undefined)
    for (const cell of stage.cells)
      if (cell.notApplicable !== undefined) this.#record(stage, cell, 'not applicable', 0, cell.notApplicable)
    const startedAt = performance.now()
    const { open, error } = await openStage(row, release).then(
      (found) => ({ open: found, error: undefined }),
      (reason: unknown) => ({ open: undefined, error: reason }),
    )
    if (open === undefined) {
      const none: Outcome = error === undefined ? { outcome: 'not run', ms: 0 } : { outcome: 'fail', ms: 0, error }
      this.#openings.get(stage)?.resolve(none)
      for (const each of [...applicable, stage]) this.#settle(stage, each, none)
      return
    }
    this.#openings.get(stage)?.resolve({ outcome: 'pass', ms: performance.now() - startedAt })
    noteVersion(row.venue, open.venue.version)
    noteVersion(`python ${RELEASES[release].version}`, `oslo.messaging from ${open.pythonFrom}`)
    const queue = [...applicable]
    const work = async (): Promise<void> => {
      for (let cell = queue.shift(); cell !== undefined; cell = queue.shift())
        this.#settle(stage, cell, await timed(runCell(open, cell)))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    this.#settle(stage, stage, await timed(open.close()))
    await open.abort().catch(() => undefined)
  }

  #settle(stage: Stage, of: Stage | Cell, outcome: Outcome): void {
    const note = outcome.outcome === 'not run' ? NOT_RUN : reasonOf(outcome.error)
    if ('feature' in of) this.#record(stage, of, outcome.outcome, outcome.ms, note)
    this.#outcomes.get(of)?.resolve(outcome)
  }

  #record(
    { row, release }: Stage,
    { feature, pair, role }: Cell,
    outcome: Outcome['outcome'] | 'not applicable',
    ms: number,
    note: string | undefined,
  ): void {
    record({
      ours: role,
      python: pair === 'ours to ours' ? 'none' : RELEASES[release].version,
      transport: row.name,
      feature: feature.name,
      outcome,
      ms: Math.round(ms),
      ...(note === undefined ? {} : { note }),
    })
  }
}

async function runCell(open: OpenStage, { feature, pair }: Cell): Promise<void> {
  if (feature.kind === 'rpc') await feature.run(await open.rpc(pair))
  else await feature.run(open.notify(pair))
}

export async function timed(work: Promise<unknown>): Promise<Outcome> {
  const startedAt = performance.now()
  return work.then(
    (): Outcome => ({ outcome: 'pass', ms: performance.now() - startedAt }),
    (error: unknown): Outcome => ({ outcome: 'fail', ms: performance.now() - startedAt, error }),
  )
}

export function reasonOf(error: unknown): string | undefined {
  if (error === undefined) return undefined
  return (error instanceof Error ? error.message : inspect(error)).slice(0, 500)
}

interface Deferred {
  readonly promise: Promise<Outcome>
  readonly resolve: (outcome: Outcome) => void
}

function deferred(): Deferred {
  let resolve: (outcome: Outcome) => void = () => undefined
  const promise = new Promise<Outcome>((settle) => (resolve = settle))
  return { promise, resolve }
}

function known(found: Deferred | undefined): Deferred {
  if (found === undefined) throw new Error('There is no such cell')
  return found
}
