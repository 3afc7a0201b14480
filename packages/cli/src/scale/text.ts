import { bytesText } from '../print.ts'
import { printable } from '../text/printable.ts'
import { tableText } from '../text/table.ts'
import type { BusScale } from './model.ts'

/** For people: what each service holds, the sums, and what they run into. */
export function scaleText(scales: readonly BusScale[]): string {
  return scales.map(busText).join('\n')
}

function busText(scale: BusScale): string {
  const { driver, section, services, connections, channels, queues, memoryBytes } = scale
  const rows = services.map((row) => [
    printable(row.name),
    String(row.processes),
    String(row.connections * row.processes),
    row.channels === null ? '-' : String(row.channels * row.processes),
  ])
  const word = driver === 'amqp' ? 'LINKS' : 'CHANNELS'
  const table = tableText(
    [
      ['SERVICE', 'PROCESSES', 'CONNECTIONS', word],
      ...rows,
      [
        'all',
        sum(services.map(({ processes }) => processes)),
        String(connections),
        channels === null ? '-' : String(channels),
      ],
    ],
    { right: [1, 2, 3] },
  )
  const all = queues === null ? null : queues.shared + queues.perInstance + queues.perProcess
  const lines = [
    queues === null
      ? `${driver} does not say which queues it declares`
      : `${all} queues or topics: ${queues.shared} shared, ${queues.perInstance} of instances, ${queues.perProcess} of processes`,
    ...(memoryBytes === null ? [] : [`about ${bytesText(memoryBytes)} of the broker's memory at rest`]),
    ...limitsOf(scale),
  ]
  const bus = section === 'default' ? '[DEFAULT]' : '[oslo_messaging_notifications]'
  return `${bus} over ${driver}\n${table}${lines.join('\n')}\n`
}

const sum = (values: readonly number[]): string => String(values.reduce((total, each) => total + each, 0))

const FILES = 65_536
const QUORUM_QUEUES = 5000
const CLASSIC_QUEUES = 50_000

/** What is near or beyond what a broker is usually set up for, with what moves it. */
function limitsOf({ driver, connections, queues }: BusScale): readonly string[] {
  const all = queues === null ? 0 : queues.shared + queues.perInstance + queues.perProcess
  return [
    ...(connections > FILES / 2
      ? [
          `! ${connections} connections need as many file descriptors of the broker (ulimit -n, all nodes together): fewer processes, or one broker for each service`,
        ]
      : []),
    ...(driver === 'rabbit' && all > QUORUM_QUEUES
      ? [
          `! ${all} queues: keep those of processes classic, or one stream for all (rabbit_stream_fanout, use_queue_manager); quorum queues are for some thousands`,
        ]
      : []),
    ...(all > CLASSIC_QUEUES ? [`! ${all} queues take long to declare again after a restart of the broker`] : []),
  ]
}
