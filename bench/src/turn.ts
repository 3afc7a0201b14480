import type { Figures } from './result.ts'
import { quantile, round } from './statistics.ts'

/** What one turn of one contestant gave. */
export interface Turn {
  readonly operations: number
  readonly elapsedMs: number
  /** CPU time of this process, microseconds. */
  readonly cpuUs: number
  /** One value for each operation, or for each batch of them. */
  readonly latenciesMs: readonly number[]
}

/** Keeps `concurrency` operations under way for `durationMs`, as that many callers who each wait for their answer.
 *  `batch` is how many messages one call of `operation` stands for: very short ones are measured by the hundred. */
export async function takeTurn(
  operation: () => unknown,
  options: { readonly concurrency: number; readonly durationMs: number; readonly batch?: number },
): Promise<Turn> {
  const { concurrency, durationMs, batch = 1 } = options
  const latenciesMs: number[] = []
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const endsAt = startedAt + durationMs
  const caller = async (): Promise<void> => {
    for (let begunAt = performance.now(); begunAt < endsAt;) {
      await operation()
      const now = performance.now()
      latenciesMs.push((now - begunAt) / batch)
      begunAt = now
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  const elapsedMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpuBefore)
  return { operations: latenciesMs.length * batch, elapsedMs, cpuUs: user + system, latenciesMs }
}

/** Figures over all turns together. */
export function summarize(turns: readonly Turn[]): Figures {
  const sum = (value: (turn: Turn) => number): number => turns.reduce((total, turn) => total + value(turn), 0)
  const operations = sum((turn) => turn.operations)
  const latencies = turns.flatMap((turn) => turn.latenciesMs)
  return {
    perSec: round((operations * 1000) / sum((turn) => turn.elapsedMs)),
    p50Ms: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
    cpuUsPerOp: round(sum((turn) => turn.cpuUs) / operations),
  }
}

export function perSecOf(turn: Turn): number {
  return (turn.operations * 1000) / turn.elapsedMs
}
