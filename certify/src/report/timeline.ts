import type { HistoryEvent } from '@oslo-messaging/conformance/history'

/** Events of each kind in each second; the line of a reader is called `handled by` and its name. */
export interface Timeline {
  readonly stepMs: number
  readonly lines: Readonly<Record<string, readonly number[]>>
}

const STEP_MS = 1000
const DRAWN = new Set<HistoryEvent['kind']>(['resolved', 'rejected', 'handled', 'replied'])

export function timelineOf(events: Iterable<HistoryEvent>): Timeline {
  const lines = new Map<string, number[]>()
  let length = 0
  for (const event of events) {
    if (!DRAWN.has(event.kind)) continue
    const step = Math.floor(event.at / STEP_MS)
    length = Math.max(length, step + 1)
    const name = event.kind === 'handled' ? `handled by ${event.reader}` : event.kind
    let line = lines.get(name)
    if (line === undefined) lines.set(name, (line = []))
    line[step] = (line[step] ?? 0) + 1
  }
  // Seconds in which nothing happened are holes until here.
  const filled = [...lines].map(([name, line]) => [name, Array.from({ length }, (_, step) => line[step] ?? 0)] as const)
  return { stepMs: STEP_MS, lines: Object.fromEntries(filled) }
}
