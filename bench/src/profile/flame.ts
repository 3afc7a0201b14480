import { card, document, escape } from '@oslo-messaging/cli/page'
import type { Profiler } from 'node:inspector'

/** One function below the functions that called it. */
export interface Frame {
  readonly name: string
  /** File and line; empty for the virtual machine's own. */
  readonly where: string
  /** Microseconds in it, and in it with what it called. */
  self: number
  total: number
  readonly callees: Map<string, Frame>
}

const NONE = ['(idle)', '(program)']

/** The calls of a profile as a tree, calls of one function from one place together; idle time left out. */
export function callTree({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const selfOf = new Map<number, number>()
  for (const [index, id] of samples.entries())
    selfOf.set(id, (selfOf.get(id) ?? 0) + Math.max(0, timeDeltas[index] ?? 0))
  const root: Frame = { name: 'all', where: '', self: 0, total: 0, callees: new Map() }
  for (const [id, us] of selfOf) {
    const path: Profiler.ProfileNode[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = byId.get(at)
      if (node !== undefined) path.unshift(node)
    }
    if (path.some(({ callFrame }) => NONE.includes(callFrame.functionName))) continue
    let frame = root
    frame.total += us
    for (const { callFrame } of path.slice(1)) {
      const name = callFrame.functionName || '(anonymous)'
      const where = callFrame.url === '' ? '' : `${placeOf(callFrame.url)}:${callFrame.lineNumber + 1}`
      const key = `${name} ${where}`
      let next = frame.callees.get(key)
      if (next === undefined) frame.callees.set(key, (next = { name, where, self: 0, total: 0, callees: new Map() }))
      next.total += us
      frame = next
    }
    frame.self += us
  }
  return root
}

/** Below the package it is in: nothing that names a machine. */
function placeOf(url: string): string {
  if (url.startsWith('node:')) return url
  const path = url.replace(/^file:\/\//, '')
  const inModules = path.lastIndexOf('node_modules/')
  if (inModules >= 0) return path.slice(inModules + 'node_modules/'.length)
  return /(?:packages|bench|brokers)\/.*$/.exec(path)?.[0] ?? path.split('/').at(-1) ?? ''
}

const [WIDTH, ROW, LEAST] = [1180, 17, 0.6]

/** A flame graph: a box for each function as wide as the time in it and in what it called, callees below. Without a
 *  script: what does not fit is in the title of its box. */
export function flamePage(root: Frame, title: string, command: string): string {
  const boxes: string[] = []
  let deepest = 0
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = (frame.total / root.total) * WIDTH
    if (width < LEAST) return
    deepest = Math.max(deepest, depth)
    const share = `${((frame.total / root.total) * 100).toFixed(1)} %`
    const text = width < 30 ? '' : frame.name.slice(0, Math.floor(width / 6.5))
    boxes.push(
      `<g><title>${escape(`${frame.name} ${frame.where} ${share}, ${((frame.self / root.total) * 100).toFixed(1)} % itself`)}</title><rect x="${x.toFixed(1)}" y="${depth * ROW}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colourOf(frame)}"/><text x="${(x + 3).toFixed(1)}" y="${depth * ROW + 12}">${escape(text)}</text></g>`,
    )
    let left = x
    for (const callee of [...frame.callees.values()].toSorted((one, other) => other.total - one.total)) {
      draw(callee, left, depth + 1)
      left += (callee.total / root.total) * WIDTH
    }
  }
  draw(root, 0, 0)
  const height = (deepest + 1) * ROW
  return document({
    title: `Profile of ${title}`,
    heading: `Where the time of ${escape(title)} goes`,
    sub: 'Ours green, client libraries amber, Node and V8 grey; a box has its share in its title',
    isWide: true,
    body: `<div class="cards">${card(`${(root.total / 1e6).toFixed(1)} s`, 'of CPU')}${card(shareOf(root, 'ours'), 'itself in ours')}${card(shareOf(root, 'library'), 'in libraries')}${card(shareOf(root, 'machine'), 'in Node and V8')}</div>
<figure><svg viewBox="0 0 ${WIDTH} ${height}" class="flame" role="img" aria-label="flame graph">${boxes.join('')}</svg></figure>
<h2>Functions by their own time</h2><table><tr><th>share</th><th>function</th><th>where</th></tr>${heaviest(root)
      .map(
        ({ name, where, self }) =>
          `<tr><td class="n">${((self / root.total) * 100).toFixed(1)} %</td><td>${escape(name)}</td><td>${escape(where)}</td></tr>`,
      )
      .join('')}</table>
<h2>Again</h2><pre>${escape(command)}</pre>`,
  })
}

type Whose = 'ours' | 'library' | 'machine'

function whoseOf({ where }: Frame): Whose {
  if (where === '' || where.startsWith('node:')) return 'machine'
  return /^(?:packages|bench|@oslo-messaging)\//.test(where) ? 'ours' : 'library'
}

const COLOURS: Readonly<Record<Whose, string>> = { ours: '#7cc7a0', library: '#e9b872', machine: '#c3cad6' }
const colourOf = (frame: Frame): string => COLOURS[whoseOf(frame)]

function* everyFrame(frame: Frame): Generator<Frame> {
  yield frame
  for (const callee of frame.callees.values()) yield* everyFrame(callee)
}

function shareOf(root: Frame, whose: Whose): string {
  let us = 0
  for (const frame of everyFrame(root)) if (whoseOf(frame) === whose) us += frame.self
  return `${Math.round((us / root.total) * 100)} %`
}

/** Functions wherever they were called from, by their own time. */
function heaviest(root: Frame): readonly { readonly name: string; readonly where: string; readonly self: number }[] {
  const table = new Map<string, { readonly name: string; readonly where: string; self: number }>()
  for (const { name, where, self } of everyFrame(root)) {
    const key = `${name} ${where}`
    const entry = table.get(key) ?? { name, where, self: 0 }
    entry.self += self
    table.set(key, entry)
  }
  return [...table.values()].toSorted((one, other) => other.self - one.self).slice(0, 30)
}
