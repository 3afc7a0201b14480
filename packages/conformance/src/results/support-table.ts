import type { ConformanceResults } from './results.ts'

/** A Markdown table of several drivers, one line each, in the order given. `linkTo` writes where the page of one is. */
export function formatSupportTable(
  all: readonly ConformanceResults[],
  linkTo: (results: ConformanceResults) => string,
): string {
  const rows = all.map((results) => {
    const { title, driver, library, broker, level, cases, tookMs } = results
    const passed = cases.filter(({ outcome }) => outcome === 'passed').length
    const failed = cases.filter(({ outcome }) => outcome === 'failed').length
    return [
      `[${title}](${linkTo(results)})`,
      `${driver.name} ${driver.version}`,
      broker === null ? 'none' : `${broker.name} ${broker.version}`,
      library === null ? 'none' : `${library.name} ${library.version}`,
      level === null ? 'none' : String(level),
      failed === 0 ? `${passed}` : `${passed}, ${failed} failed`,
      `${Math.round(tookMs / 1000)} s`,
    ]
  })
  const head = ['report', 'driver', 'broker', 'client library', 'level', 'cases passed', 'took']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n') + '\n'
}
