import type { Row, SuiteResult } from './result.ts'
import { formatColumns } from './table.ts'

/** A row of two results. */
export interface Compared {
  readonly suite: string
  readonly workload: Row['workload']
  readonly peer: string
  readonly before: Row
  readonly after: Row
  /** Whether the ratios of the pairs of turns of one run lie all beyond those of the other. */
  readonly verdict: 'slower' | 'faster' | 'alike'
}

/** What two results have in common; a row that one of them lacks is left out.
 *  Ratios are compared, not times: each was taken against the peer of its own run, so that two machines, or a busy hour
 *  and a quiet one, can be set side by side. */
export function compareResults(before: readonly SuiteResult[], after: readonly SuiteResult[]): readonly Compared[] {
  const earlier = new Map(before.flatMap(({ suite, rows }) => rows.map((row) => [keyOf(suite, row), row] as const)))
  return after.flatMap(({ suite, rows }) =>
    rows.flatMap((row) => {
      const other = earlier.get(keyOf(suite, row))
      if (other === undefined) return []
      const { workload, peer } = row
      return [{ suite, workload, peer: peer.name, before: other, after: row, verdict: verdictOf(other, row) }]
    }),
  )
}

const keyOf = (suite: string, { workload, peer }: Row): string =>
  JSON.stringify([suite, workload.name, workload.concurrency, workload.bytes, peer.name])

function verdictOf({ ratio: before }: Row, { ratio: after }: Row): Compared['verdict'] {
  if (after.max < before.min) return 'slower'
  return after.min > before.max ? 'faster' : 'alike'
}

/** For a terminal. */
export function formatComparison(rows: readonly Compared[]): string {
  const head = ['suite', 'workload', 'at once', 'bytes', 'peer', 'ratio before', 'ratio after', '']
  const body = rows.map(({ suite, workload, peer, before, after, verdict }) => [
    suite,
    workload.name,
    String(workload.concurrency),
    String(workload.bytes),
    peer,
    ratioText(before),
    ratioText(after),
    verdict === 'alike' ? '' : verdict,
  ])
  const count = (verdict: Compared['verdict']): number => rows.filter((row) => row.verdict === verdict).length
  return `${formatColumns(head, body, [2, 3])}\n\n${rows.length} rows: ${count('slower')} slower, ${count('faster')} faster, ${count('alike')} alike within what their turns differ`
}

const ratioText = ({ ratio }: Row): string =>
  `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`
