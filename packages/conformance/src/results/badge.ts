import type { ConformanceResults } from './results.ts'

const COLOURS = ['#9f9f9f', '#b7a21d', '#4c8f3a', '#2f7d32', '#1b5e20'] as const
const FAILED = '#c0392b'
/** Pixels that one character of 11 px Verdana takes, about. */
const CHARACTER = 6.6
const MARGIN = 10

/** An SVG for a README: the level that was reached, and how many cases passed. */
export function formatBadge(results: Pick<ConformanceResults, 'level' | 'cases'>): string {
  const { level, cases } = results
  const passed = cases.filter(({ outcome }) => outcome === 'passed').length
  const left = 'oslo.messaging driver'
  const right = level === null ? 'does not conform' : `level ${level}, ${passed === 1 ? '1 case' : `${passed} cases`}`
  const [leftWidth, rightWidth] = [left, right].map((text) => Math.round(text.length * CHARACTER + 2 * MARGIN)) as [
    number,
    number,
  ]
  const text = (words: string, middle: number): string =>
    `<text x="${middle}" y="14" text-anchor="middle">${words}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${leftWidth + rightWidth}" height="20" role="img" aria-label="${left}: ${right}">`,
    `<title>${left}: ${right}</title>`,
    `<rect width="${leftWidth + rightWidth}" height="20" rx="3" fill="#444"/>`,
    `<path d="M${leftWidth} 0h${rightWidth - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-${rightWidth - 3}z" fill="${level === null ? FAILED : COLOURS[level]}"/>`,
    `<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">`,
    text(left, leftWidth / 2),
    text(right, leftWidth + rightWidth / 2),
    '</g></svg>',
    '',
  ].join('\n')
}
