import { afterAll } from 'vitest'

import { acceptanceStages } from './acceptance/index.ts'
import { describeStages } from './matrix/describe.ts'
import { writeResults } from './matrix/results.ts'
import { closeVenues } from './transports/venues.ts'

describeStages(acceptanceStages(), 3)

afterAll(async () => {
  await closeVenues()
  await writeResults('acceptance')
})
