import { tmpdir } from 'node:os'
import path from 'node:path'

import { unique } from '../../test/support/ours.ts'
import type { Feature } from '../features/feature.ts'
import { ACCEPTANCE_PAIRS, type Stage, stagesOf } from '../matrix/cell.ts'
import { TRANSPORTS } from '../transports/index.ts'
import type { TransportRow } from '../transports/row.ts'
import { callTests, castTests } from './calls.ts'
import { metricsTests } from './metrics.ts'
import { notifyTests } from './notifications.ts'

/** The library's own functional tests, re-stated, under their own names. */
export const ACCEPTANCE: readonly Feature[] = [...callTests, ...castTests, ...metricsTests, ...notifyTests]

/** Where a Python sends its metrics; its configuration is fixed when it starts. */
const socketFile = (): string => path.join(tmpdir(), `${unique('metrics')}.sock`)

/** The transports on which the library runs them. */
const ROWS = ['rabbit: default', 'amqp: dynamic', 'kafka: plain']

/** Every test of the list on some of these rows, three ways: ours to ours, ours to Python, Python to ours. */
export function acceptanceStages(isWanted: (row: TransportRow) => boolean = () => true): readonly Stage[] {
  const rows = TRANSPORTS.filter((row) => ROWS.includes(row.name) && isWanted(row)).map((row) => ({
    ...row,
    name: `acceptance, ${row.name}`,
    releases: row.releases.slice(0, 1),
    lacks: { ...row.lacks, ...lacksOf(row) },
    python: { oslo_messaging_metrics: { metrics_enabled: true, metrics_socket_file: socketFile() } },
  }))
  return stagesOf(rows, ACCEPTANCE, undefined, ACCEPTANCE_PAIRS)
}

function lacksOf({ name }: TransportRow): TransportRow['lacks'] {
  if (name.startsWith('rabbit')) return {}
  const listeners = {
    reason: 'the library runs this test on RabbitMQ only: other brokers may give all to one listener',
  }
  if (name.startsWith('kafka')) return { 'sharing by listeners': listeners }
  return {
    'sharing by listeners': listeners,
    'sharing by servers': { reason: 'the broker may give a short sequence to one server' },
    'labelled metrics': {
      reason: 'that release labels the metrics of every call like the first one of its process',
      only: 'python sends',
    },
  }
}
