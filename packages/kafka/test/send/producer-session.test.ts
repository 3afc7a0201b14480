import { describe, expect, it } from 'vitest'
import { Child } from '../support/child.ts'

/** A machine that is busy elsewhere takes its time to start a process and to read the sources into it. */
const START_MS = 90_000

describe('producer session', () => {
  it(
    'given up while it is being mended for another topic - the process lives on, and both topics are sent to',
    { timeout: START_MS + 30_000 },
    async () => {
      const child = new Child('reconnect-process', [])
      try {
        await child.until((lines) => lines.includes('mended'), 'the session given up', START_MS)
        await child.until((lines) => lines.includes('done'), 'both topics sent to again', 20_000)
      } finally {
        await child.kill()
      }
      expect(child.lines).toEqual(['mended', 'done'])
    },
  )
})
