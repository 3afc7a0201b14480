import { describe } from 'vitest'
import { rabbit } from './support/broker.ts'
import { conformance } from './support/conformance.ts'

const broker = await rabbit()

describe.skipIf(broker === undefined)('rabbit', () => {
  if (broker !== undefined) conformance(() => broker)
})
