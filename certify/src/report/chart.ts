import type { Strike } from '../frame/nemesis.ts'
import { escape } from './escape.ts'
import type { Timeline } from './timeline.ts'

const WIDTH = 1160
const HEIGHT = 260
const LEFT = 52
const LANE = 15
/** The two that mean something by their colour. */
const MEANINGS: Readonly<Record<string, string>> = { resolved: '#1a7f4b', rejected: '#c62f2f' }
const COLOURS = ['#2457b3', '#a35b00', '#6b3fa0', '#00798c', '#8a3b5c', '#5b6b00']

/** Rates by the second as one SVG, and below them a lane for each nemesis with its strikes on the same clock. */
export function formatChart(timeline: Timeline, strikes: readonly Strike[]): string {
  const { stepMs, lines } = timeline
  const steps = Math.max(1, ...Object.values(lines).map((line) => line.length))
  const endMs = Math.max(steps * stepMs, ...strikes.map(({ toMs }) => toMs))
  const highest = Math.max(1, ...Object.values(lines).flat())
  const x = (ms: number): number => LEFT + (ms / endMs) * (WIDTH - LEFT)
  const y = (value: number): number => HEIGHT - (value / highest) * (HEIGHT - 20)
  const names = [...new Set(strikes.map(({ nemesis }) => nemesis))]
  const height = HEIGHT + 34 + names.length * LANE
  const shades = strikes.map(
    ({ fromMs, toMs, count }) =>
      `<rect x="${fixed(x(fromMs))}" y="0" width="${fixed(Math.max(1, x(toMs) - x(fromMs)))}" height="${HEIGHT}" fill="${count > 0 ? '#d98e04' : '#c62f2f'}" opacity="0.12"/>`,
  )
  const curves = Object.entries(lines).map(([name, values], index) => {
    const points = values.map((value, step) => `${fixed(x((step + 0.5) * stepMs))},${fixed(y(value))}`).join(' ')
    return `<polyline points="${points}" fill="none" stroke="${colour(name, index)}" stroke-width="1.4"/>`
  })
  const lanes = names.flatMap((name, lane) => {
    const top = HEIGHT + 26 + lane * LANE
    const bars = strikes
      .filter(({ nemesis }) => nemesis === name)
      .map(
        ({ fromMs, toMs, says, count }) =>
          `<rect x="${fixed(x(fromMs))}" y="${top}" width="${fixed(Math.max(2, x(toMs) - x(fromMs)))}" height="${LANE - 4}" fill="${count > 0 ? '#d98e04' : '#c62f2f'}"><title>${escape(`${name}: ${says}`)}</title></rect>`,
      )
    return [...bars, `<text x="${LEFT + 4}" y="${top + LANE - 6}" font-size="11">${escape(name)}</text>`]
  })
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Rates by the second, with faults">
${shades.join('\n')}
${axis(endMs, highest, x, y)}
${curves.join('\n')}
${lanes.join('\n')}
</svg>
<p class="legend">${Object.keys(lines)
    .map((name, index) => `<span><i style="background:${colour(name, index)}"></i>${escape(name)}</span>`)
    .join('')}<span><i style="background:#d98e04"></i>fault</span></p>`
}

function axis(endMs: number, highest: number, x: (ms: number) => number, y: (value: number) => number): string {
  const seconds = endMs / 1000
  const every = [1, 2, 5, 10, 30, 60, 120, 300].find((step) => seconds / step <= 14) ?? 600
  const marks = Array.from({ length: Math.floor(seconds / every) + 1 }, (_, index) => index * every).map(
    (second) =>
      `<line x1="${fixed(x(second * 1000))}" x2="${fixed(x(second * 1000))}" y1="0" y2="${HEIGHT}" stroke="#8884" /><text x="${fixed(x(second * 1000))}" y="${HEIGHT + 15}" font-size="11" text-anchor="middle">${second} s</text>`,
  )
  const levels = [0, 0.5, 1].map((part) => {
    const value = Math.round(highest * part)
    return `<text x="${LEFT - 6}" y="${fixed(y(value) + 4)}" font-size="11" text-anchor="end">${value}/s</text>`
  })
  return [...marks, ...levels].join('\n')
}

function colour(name: string, index: number): string {
  return MEANINGS[name] ?? COLOURS[index % COLOURS.length] ?? '#000'
}

function fixed(value: number): string {
  return value.toFixed(1)
}
