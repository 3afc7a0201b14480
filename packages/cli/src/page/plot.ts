import { escape } from '../text/escape.ts'

/** One curve of a plot; null: nothing to draw there. */
export interface Line {
  readonly name: string
  readonly colour: string
  readonly values: readonly (number | null)[]
}

/** How a plot is drawn. */
export interface PlotOptions {
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
  /** Stretches that are marked, in the steps of the values. */
  readonly marks: readonly { readonly from: number; readonly to: number; readonly text: string }[]
  /** What stands below the step. */
  readonly tick: (step: number) => string
  readonly isLogarithmic?: boolean
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [960, 240, 64, 26, 14]

/** A plot as SVG with its legend; it needs nothing but the page it stands in. */
export function plot({ title, unit, lines, marks, tick, isLogarithmic = false }: PlotOptions): string {
  const steps = Math.max(2, ...lines.map(({ values }) => values.length))
  const all = lines.flatMap(({ values }) => values.filter((value) => value !== null))
  const highest = niceAbove(Math.max(...all, isLogarithmic ? 1 : 0.001))
  const lowest = isLogarithmic ? 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...all, highest)))) : 0
  const x = (step: number): number => LEFT + (step / (steps - 1)) * (WIDTH - LEFT - 12)
  const share = (value: number): number =>
    isLogarithmic ? Math.log(Math.max(value, lowest) / lowest) / Math.log(highest / lowest || 10) : value / highest
  const y = (value: number): number => HEIGHT - BOTTOM - share(value) * (HEIGHT - BOTTOM - TOP)
  const levels = isLogarithmic ? decades(lowest, highest) : [0, 0.25, 0.5, 0.75, 1].map((part) => part * highest)
  const grid = levels.map(
    (level) =>
      `<line x1="${LEFT}" x2="${WIDTH - 12}" y1="${fixed(y(level))}" y2="${fixed(y(level))}" class="grid"/><text x="${LEFT - 8}" y="${fixed(y(level) + 4)}" text-anchor="end">${short(level)}</text>`,
  )
  const every = Math.max(1, Math.ceil(steps / 10))
  const ticks = Array.from({ length: Math.ceil(steps / every) }, (_, index) => index * every).map(
    (step) => `<text x="${fixed(x(step))}" y="${HEIGHT - 6}" text-anchor="middle">${escape(tick(step))}</text>`,
  )
  const shades = marks.map(({ from, to, text }) => {
    const left = x(Math.min(from, steps - 1))
    const width = Math.max(3, x(Math.min(to, steps - 1)) - left)
    return `<g><rect x="${fixed(left)}" y="${TOP}" width="${fixed(width)}" height="${HEIGHT - BOTTOM - TOP}" class="fault"/><text x="${fixed(left + 3)}" y="${TOP + 11}" class="mark">${escape(text)}</text></g>`
  })
  const curves = lines.map(
    ({ values, colour }) => `<path d="${pathOf(values, x, y)}" stroke="${colour}" class="curve"/>`,
  )
  const legend = lines.map(({ name, colour }) => `<span><i style="background:${colour}"></i>${escape(name)}</span>`)
  return `<figure><figcaption><b>${escape(title)}</b> <small>${escape(unit)}</small><span class="legend">${legend.join('')}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">${shades.join('')}${grid.join('')}${ticks.join('')}${curves.join('')}</svg></figure>`
}

/** Gaps where there is nothing; a point that stands alone is a short line. */
function pathOf(values: readonly (number | null)[], x: (step: number) => number, y: (value: number) => number): string {
  let isDrawing = false
  return values
    .map((value, step) => {
      if (value === null) {
        isDrawing = false
        return ''
      }
      const point = `${fixed(x(step))} ${fixed(y(value))}`
      const command = isDrawing ? `L${point}` : `M${point}h.5`
      isDrawing = true
      return command
    })
    .join('')
}

function decades(lowest: number, highest: number): readonly number[] {
  const levels: number[] = []
  for (let level = lowest; level <= highest * 1.0001; level *= 10) levels.push(level)
  return levels
}

/** The next of 1, 2, 5, 10 ... that is not below. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((step) => step * power >= value * 0.999) ?? 10) * power
}

function short(value: number): string {
  if (value >= 1000) return `${Number((value / 1000).toFixed(1))}k`
  return String(Number(value.toFixed(value < 1 ? 3 : 1)))
}

const fixed = (value: number): string => value.toFixed(1)
