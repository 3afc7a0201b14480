import type { CpuSample } from './samples.ts'

interface Measured {
  readonly sample: CpuSample
  /** Part of its processors that it used between its last two samples; undefined after the first. */
  readonly part: number | undefined
}

/** How busy the servers of each stack are, from what they used between two samples. */
export class Load {
  readonly #servers = new Map<string, Measured>()
  readonly #keepMs: number

  /** A server without a sample for `keepMs` no longer counts: it has been removed. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  /** A sample that comes again changes nothing. */
  add(sample: CpuSample): void {
    const before = this.#servers.get(sample.server)?.sample
    if (before !== undefined && sample.atMs <= before.atMs) return
    this.#servers.set(sample.server, { sample, part: before && partUsed(before, sample) })
  }

  /** The mean over the servers of a stack, 0 to 1; undefined while one of them has one sample only. */
  of(stack: string): number | undefined {
    const ofStack = (): Measured[] => [...this.#servers.values()].filter(({ sample }) => sample.stack === stack)
    const newest = Math.max(...ofStack().map(({ sample }) => sample.atMs))
    for (const [server, { sample }] of this.#servers)
      if (newest - sample.atMs > this.#keepMs) this.#servers.delete(server)
    const present = ofStack()
    const parts = present.flatMap(({ part }) => part ?? [])
    if (parts.length < present.length || parts.length === 0) return undefined
    return parts.reduce((sum, part) => sum + part, 0) / parts.length
  }
}

function partUsed(before: CpuSample, after: CpuSample): number | undefined {
  const used = after.usedNs - before.usedNs
  // A server that was started again counts from zero.
  return used < 0 ? undefined : used / ((after.atMs - before.atMs) * 1e6 * after.processors)
}
