import { describe, expect, it } from 'vitest'
import { Child } from '../support/child.ts'

describe('producer session', () => {
  it('given up while it is being mended for another topic - the process lives on, and both topics are sent to', async () => {
    const child = new Child('reconnect-process', [])
    try {
      await child.until((lines) => lines.includes('mended'), 'the session given up', 30_000)
      await child.until((lines) => lines.includes('done'), 'both topics sent to again', 10_000)
    } finally {
      await child.kill()
    }
    expect(child.lines).toEqual(['mended', 'done'])
  })
})
