import type { ReceivedSpan } from './otlp-receiver.ts'

const [WIDTH, ROW, NAMES, TOP] = [920, 30, 330, 44] as const
const COLOURS: Readonly<Record<string, string>> = { node: '#2f7d32', python: '#2b5b9e' }
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** One trace as a picture (SVG): a row for each span below its parent, with a bar from its start to its end. `title`
 *  stands above it. */
export function drawTrace(spans: readonly ReceivedSpan[], title: string): string {
  const rows = inOrder(spans, '', 0)
  const start = Math.min(...spans.map(({ startMs }) => startMs))
  const end = Math.max(...spans.map(({ startMs, durationMs }) => startMs + durationMs))
  const scale = (WIDTH - NAMES - 80) / (end - start)
  const drawn = rows.map(({ span, depth }, index) => {
    const y = TOP + index * ROW
    const x = NAMES + (span.startMs - start) * scale
    const width = Math.max(2, span.durationMs * scale)
    const colour = COLOURS[span.service] ?? '#666'
    return [
      `<text x="${12 + depth * 14}" y="${y + 15}"><tspan font-weight="600" fill="${colour}">${escape(span.service)}</tspan> ${escape(span.name)}</text>`,
      `<rect x="${x.toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="16" rx="3" fill="${colour}"/>`,
      `<text x="${(x + width + 6).toFixed(1)}" y="${y + 15}" fill="#555">${span.durationMs.toFixed(1)} ms</text>`,
    ].join('')
  })
  const height = TOP + rows.length * ROW + 10
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escape(title)}</title><rect width="100%" height="100%" rx="8" fill="#fff"/>`,
    `<text x="12" y="26" font-size="15" font-weight="600" fill="#222">${escape(title)}</text>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

function inOrder(
  spans: readonly ReceivedSpan[],
  parentId: string,
  depth: number,
): { readonly span: ReceivedSpan; readonly depth: number }[] {
  return spans
    .filter((span) => span.parentId === parentId)
    .toSorted((one, other) => one.startMs - other.startMs)
    .flatMap((span) => [{ span, depth }, ...inOrder(spans, span.spanId, depth + 1)])
}
