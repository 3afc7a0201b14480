import type { Series } from '@oslo-messaging/brokers'

/** What of a panel of Grafana is drawn. */
export interface Panel {
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

/** A line of a panel, with the name that the panel's legend has for it. */
export interface Line {
  readonly name: string
  readonly values: Series['values']
}

const [COLUMN, ROW, GAP, TOP] = [50, 26, 10, 44] as const
const COLOURS = ['#2f7d32', '#2b5b9e', '#c2571a', '#7b3fa0', '#a67c00', '#b3261e', '#00796b', '#5d4037']
/** Lines of a legend that there is room for. */
const MOST_NAMES = 4
const UNITS: Readonly<Record<string, (value: number) => string>> = {
  s: (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`),
  ops: (value) => `${shortened(value)}/s`,
  percentunit: (value) => `${Math.round(value * 100)} %`,
}
const shortened = (value: number): string =>
  value >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(1)))
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** The legend of Grafana for a series: `{{bus}} {{name}}` with its labels. */
export function legendOf(format: string, { metric }: Series): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '')
}

/** A dashboard as a picture (SVG): each panel where Grafana would have it, with its lines between the two times. */
export function drawDashboard(
  title: string,
  drawn: readonly { readonly panel: Panel; readonly lines: readonly Line[] }[],
  span: { readonly fromMs: number; readonly toMs: number },
): string {
  const width = 24 * COLUMN
  const height = TOP + Math.max(...drawn.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) * ROW
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escape(title)}</title><rect width="100%" height="100%" fill="#f1f3f5"/>`,
    `<text x="${GAP}" y="28" font-size="17" font-weight="600" fill="#222">${escape(title)}</text>`,
    ...drawn.map(({ panel, lines }) => drawPanel(panel, lines, span)),
    '</svg>\n',
  ].join('\n')
}

function drawPanel(panel: Panel, lines: readonly Line[], span: { fromMs: number; toMs: number }): string {
  const { gridPos, title, type } = panel
  const unit = UNITS[panel.fieldConfig.defaults.unit] ?? shortened
  const [x, y] = [gridPos.x * COLUMN + GAP / 2, TOP + gridPos.y * ROW]
  const [w, h] = [gridPos.w * COLUMN - GAP, gridPos.h * ROW - GAP]
  const frame = `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="6" fill="#fff" stroke="#d8dde3"/><text x="${x + 10}" y="${y + 20}" font-weight="600" fill="#222">${escape(title)}</text>`
  const last = lines[0]?.values.at(-1)?.[1]
  if (type === 'stat')
    return `${frame}<text x="${x + w / 2}" y="${y + h / 2 + 24}" text-anchor="middle" font-size="56" fill="${COLOURS[0]}">${last === undefined ? '-' : unit(last)}</text>`
  const area = {
    left: x + 52,
    right: x + w - 12,
    top: y + 34,
    bottom: y + h - 30 - 14 * Math.min(lines.length, MOST_NAMES),
  }
  const most = Math.max(
    ...lines.flatMap(({ values }) => values.map(([, value]) => (Number.isFinite(value) ? value : 0))),
    0,
  )
  const top = most === 0 ? 1 : most * 1.1
  const at = ([seconds, value]: readonly [number, number]): string => {
    const across = (seconds * 1000 - span.fromMs) / (span.toMs - span.fromMs)
    const px = area.left + across * (area.right - area.left)
    return `${px.toFixed(1)},${(area.bottom - (value / top) * (area.bottom - area.top)).toFixed(1)}`
  }
  const grid = [0, 0.5, 1].map((share) => {
    const gy = area.bottom - share * (area.bottom - area.top)
    return `<path d="M${area.left} ${gy}H${area.right}" stroke="#e6e9ed"/><text x="${area.left - 6}" y="${gy + 4}" text-anchor="end" fill="#666">${unit(top * share)}</text>`
  })
  const length = `${Math.round((span.toMs - span.fromMs) / 1000)} s`
  const times = `<text x="${area.left}" y="${area.bottom + 15}" fill="#666">0 s</text><text x="${area.right}" y="${area.bottom + 15}" text-anchor="end" fill="#666">${length}</text>`
  const curves = lines.flatMap(({ values }, index) =>
    pieces(values).map(
      (piece) =>
        `<polyline points="${piece.map(at).join(' ')}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="2" stroke-linecap="square"/>`,
    ),
  )
  const names = lines.slice(0, MOST_NAMES).map(({ name }, index) => {
    const more = index === MOST_NAMES - 1 && lines.length > MOST_NAMES ? ` (and ${lines.length - MOST_NAMES} more)` : ''
    return `<text x="${area.left}" y="${area.bottom + 32 + index * 14}" font-size="11" fill="${COLOURS[index % COLOURS.length]}">${escape(name.slice(0, 54))}${more}</text>`
  })
  return [frame, ...grid, times, ...curves, ...names].join('')
}

/** A line has a gap where there was no value. */
function pieces(values: Series['values']): (readonly (readonly [number, number])[])[] {
  const all: (readonly [number, number])[][] = []
  let before = Number.NEGATIVE_INFINITY
  for (const point of values) {
    if (!Number.isFinite(point[1])) continue
    if (point[0] - before > 1.5) all.push([])
    all.at(-1)?.push(point)
    before = point[0]
  }
  // A point alone would not be seen.
  return all.map((piece) => (piece.length === 1 ? [...piece, ...piece] : piece))
}
