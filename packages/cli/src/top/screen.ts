import type { Io } from '../io.ts'
import { milliseconds } from '../simulate/text.ts'
import { count, printable } from '../text/printable.ts'
import { fold, tableText } from '../text/table.ts'
import type { Figures, ProbeFigures } from './figures.ts'

const COLOURS: Readonly<Record<Figures['health'], number>> = { ok: 32, behind: 33, down: 31, unknown: 36 }
/** Below so many columns a table leaves out what can be spared. */
const NARROW = 60

/** A screen of at most so many columns and rows. */
export function screenText(figures: Figures, io: Pick<Io, 'columns' | 'rows' | 'colour'>): string {
  const { columns, rows, colour } = io
  const lines = linesOf(figures, columns).map((line) => clip(line, columns))
  const most = Math.max(5, rows - 1)
  const shown =
    lines.length <= most
      ? lines
      : [...lines.slice(0, most - 1), clip(`... ${lines.length - most + 1} more lines`, columns)]
  const text = shown.join('\n')
  // Its name may be part of that of the topic.
  const [health, colours] = [`  ${figures.health}  `, `\u001b[1;${COLOURS[figures.health]}m`]
  return colour ? text.replace(health, `  ${colours}${figures.health}\u001b[0m  `) : text
}

function linesOf(figures: Figures, columns: number): readonly string[] {
  const isNarrow = columns < NARROW
  const { topic, at, health, notes, servers, queues, probes, backlog, perSecond } = figures
  const times = servers.flatMap(({ ms }) => (ms === null ? [] : [ms])).toSorted((one, other) => one - other)
  const median = times[Math.floor(times.length / 2)]
  const facts = [
    ...(perSecond === null ? [] : [`${perSecond.toFixed(1)} a second`]),
    ...(backlog === null ? [] : [`${backlog} waiting`]),
    ...(times.length === 0 ? [] : [count(times.length, 'server')]),
    ...(median === undefined ? [] : [`round trip ${milliseconds(median)}`]),
  ]
  return [
    `${printable(topic)}  ${health}  ${at.slice(11, 19)} UTC`,
    ...(isNarrow ? facts : [facts.join(', ')]).filter((line) => line !== ''),
    // What is to be done stands at the end of it.
    ...notes.flatMap((note) =>
      `! ${fold(printable(note), columns - 2)}`.split('\n').map((line, at) => (at === 0 ? line : `  ${line}`)),
    ),
    ...table(
      ['SERVER', 'ROUND TRIP', ''],
      servers.map(({ server, ms, says }) => [printable(server), ms === null ? '-' : milliseconds(ms), printable(says)]),
      [1],
    ),
    ...table(
      isNarrow ? ['QUEUE', 'WAITING', 'READERS'] : ['QUEUE', 'WAITING', 'READERS', 'IN/S', 'OUT/S'],
      queues.map(({ name, messages, consumers, rates }) => {
        const cells = [printable(name), String(messages), String(consumers)]
        return isNarrow ? cells : [...cells, number(rates?.in), number(rates?.out)]
      }),
      [1, 2, 3, 4],
    ),
    ...table(
      isNarrow
        ? ['PROBE', 'A SECOND', '99 %']
        : ['PROBE', 'A SECOND', 'FAILED/S', 'MEDIAN', '99 %', 'RUNNING', 'WAITING', 'LOOP'],
      probes.map((probe) => probeCells(probe, isNarrow)),
      [1, 2, 3, 4, 5, 6, 7],
    ),
  ]
}

function probeCells(probe: ProbeFigures, isNarrow: boolean): readonly string[] {
  const { url, perSecond, failedPerSecond, p50, p99, running, waiting, loopDelayMs } = probe
  const host = printable(URL.canParse(url) ? new URL(url).host : url)
  if (isNarrow) return [host, number(perSecond), time(p99)]
  return [
    host,
    number(perSecond),
    number(failedPerSecond),
    time(p50),
    time(p99),
    running === null ? '-' : String(running),
    waiting === null ? '-' : String(waiting),
    time(loopDelayMs),
  ]
}

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : value.toFixed(1)
const time = (ms: number | null): string => (ms === null ? '-' : milliseconds(ms))

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): readonly string[] {
  if (rows.length === 0) return []
  return [
    '',
    ...tableText([head, ...rows], { right })
      .trimEnd()
      .split('\n'),
  ]
}

function clip(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
}
