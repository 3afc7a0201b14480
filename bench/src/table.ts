import type { SuiteResult } from './result.ts'

const number = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))

/** The result for a terminal: two lines for each row, ours above the peer. */
export function formatTable({ suite, environment, rows }: SuiteResult): string {
  const head = ['workload', 'at once', 'bytes', 'who', 'per s', 'p50 ms', 'p99 ms', 'CPU us/op', 'ratio (min to max)']
  const body = rows.flatMap(({ workload, ours, peer, ratio, pairs }) => {
    const figures = (who: typeof ours): string[] => [who.perSec, who.p50Ms, who.p99Ms, who.cpuUsPerOp].map(number)
    const spread = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}), ${pairs} pairs`
    return [
      [workload.name, String(workload.concurrency), String(workload.bytes), 'ours', ...figures(ours), spread],
      ['', '', '', peer.name, ...figures(peer), ''],
    ]
  })
  const about = Object.entries(environment).map(
    ([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return [`suite ${suite}`, ...about, '', formatColumns(head, body, [1, 2, 4, 5, 6, 7])].join('\n')
}

/** Columns as wide as they need to be; numbers stand to the right. */
export function formatColumns(
  head: readonly string[],
  body: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((line) => line[column]?.length ?? 0)))
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [format(head), ...body.map(format)].join('\n')
}
