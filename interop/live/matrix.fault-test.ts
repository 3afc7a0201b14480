import { afterAll } from 'vitest'

import { FEATURES } from './features/index.ts'
import { stagesOf } from './matrix/cell.ts'
import { describeStages } from './matrix/describe.ts'
import { tally, writeResults } from './matrix/results.ts'
import { TRANSPORTS } from './transports/index.ts'
import { closeVenues } from './transports/venues.ts'

const EVERYTHING = '(?:)'
const rows = new RegExp(process.env['INTEROP_ROWS'] ?? '')
const columns = new RegExp(process.env['INTEROP_FEATURES'] ?? '')

describeStages(
  stagesOf(
    TRANSPORTS.filter(({ name }) => rows.test(name)),
    FEATURES.filter(({ name }) => columns.test(name)),
  ),
  2,
)

afterAll(async () => {
  await closeVenues()
  process.stdout.write(`${tally()}\n`)
  // A part is not the matrix.
  if (rows.source === EVERYTHING && columns.source === EVERYTHING) await writeResults('live')
})
