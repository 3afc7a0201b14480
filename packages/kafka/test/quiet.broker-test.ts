import { describe, expect, it } from 'vitest'
import { sharedKafka, unique } from './support/broker.ts'
import { printedBy } from './support/quiet.ts'

const broker = await sharedKafka()

describe.skipIf(broker === undefined)('kafka', () => {
  if (broker === undefined) return

  it.each([
    { what: 'work', url: broker.url },
    { what: 'refused', url: 'kafka://127.0.0.1:1/' },
  ])('P28 the process prints nothing that the application did not ask for, $what', async ({ what, url }) => {
    const { out, err } = await printedBy(process.execPath, url, unique('quiet'), what)
    expect({ out, err }).toEqual({ out: `done ${what} on ${process.version} warnings []\n`, err: '' })
  })
})
