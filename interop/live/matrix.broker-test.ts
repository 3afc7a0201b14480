import { afterAll } from 'vitest'

import { FEATURES } from './features/index.ts'
import { stagesOf } from './matrix/cell.ts'
import { describeStages } from './matrix/describe.ts'
import { isEveryday } from './matrix/everyday.ts'
import { writeResults } from './matrix/results.ts'
import { TRANSPORTS } from './transports/index.ts'
import { closeVenues } from './transports/venues.ts'

// The part of the matrix that is run with every `npm test`; matrix.fault-test.ts runs all of it.
describeStages(stagesOf(TRANSPORTS, FEATURES, isEveryday), 3)

afterAll(async () => {
  await closeVenues()
  await writeResults('live-everyday')
})
