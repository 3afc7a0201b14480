/** What is done, how often at once, with how much payload. */
export interface Workload {
  readonly name: string
  /** Operations under way at any time. */
  readonly concurrency: number
  /** Bytes of payload in each message. */
  readonly bytes: number
}

/** One contestant's figures over all its turns. */
export interface Figures {
  readonly perSec: number
  /** Latency of one operation, milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the client process for each operation, microseconds. */
  readonly cpuUsPerOp: number
}

/** One workload, ours against one peer. */
export interface Row {
  readonly workload: Workload
  readonly ours: Figures
  readonly peer: Figures & { readonly name: string }
  /** Throughput, ours over the peer's, of each pair of turns: above 1 we are faster. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number }
  /** Pairs of turns the ratio was taken from. */
  readonly pairs: number
}

export interface SuiteResult {
  readonly suite: string
  readonly environment: Readonly<Record<string, unknown>>
  readonly rows: readonly Row[]
}

/** What a suite is given. */
export interface SuiteOptions {
  /** A run of under 50 s: fewer workloads, fewer and shorter turns. */
  readonly quick: boolean
  /** Whether these rows were asked for. A workload that is not wanted is not run. */
  readonly wants: (workload: Pick<Workload, 'name' | 'concurrency'>) => boolean
  /** Says what is going on. */
  readonly say: (text: string) => void
}

/** What a suite hands back; `brokers` are the versions it ran against. */
export interface SuiteOutcome {
  readonly rows: readonly Row[]
  readonly brokers?: Readonly<Record<string, string>>
}

export type Suite = (options: SuiteOptions) => Promise<SuiteOutcome>
