import { DRIVER_API } from '@oslo-messaging/core/driver'
import { createDriverContext, memoryDriver } from '@oslo-messaging/core/testing'
import { TransportURL } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import type { ConformanceCase } from '../../src/index.ts'
import {
  type ConformanceResults,
  formatBadge,
  formatPage,
  formatSupportTable,
  runConformance,
} from '../../src/results/index.ts'

const passes: ConformanceCase = { name: 'one - works', needs: ['rpc'], run: async () => {} }
const fails: ConformanceCase = {
  name: 'two - <breaks>',
  level: 1,
  needs: [],
  run: async (harness) => {
    await harness.open()
    throw new Error('expected a, found b')
  },
}
const needsLever: ConformanceCase = { name: 'three - restarts', level: 0, needs: ['lever restart'], run: fails.run }
const above: ConformanceCase = { name: 'four - histories', level: 3, needs: [], run: fails.run }

const run = async (cases: readonly ConformanceCase[], level: 0 | 1 | 2 = 1): Promise<ConformanceResults> =>
  await runConformance(
    { chapter: cases },
    {
      title: 'memory',
      driver: { name: 'memory', version: '1.2.3' },
      library: null,
      broker: { name: 'none', version: '9' },
    },
    {
      capabilities: memoryDriver.capabilities,
      createDriver: () => memoryDriver.open(TransportURL.parse('memory://'), createDriverContext(memoryDriver)),
      level,
    },
  )

describe('results of conformance', () => {
  it('say what became of each case, which versions met, and the level that was reached', async () => {
    const results = await run([passes, fails, needsLever, above])
    expect(results).toMatchObject({ contract: DRIVER_API, node: process.versions.node, level: 0 })
    expect(results.kit).toMatch(/^\d+\.\d+\.\d+/)
    expect(results.cases.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'left out', 'left out'])
    expect(results.cases[1]?.says).toMatch(
      /breaks this promise: two - <breaks>\nexpected a, found b\nWhat happened:\n\+0\.\d+ s {2}driver 1 opened/,
    )
    expect(results.cases[2]?.says).toBe('no lever restart')
    expect(results.cases[3]?.says).toBe('level 3')
    expect(JSON.parse(JSON.stringify(results))).toEqual(results)
  })

  it('a level of which nothing ran, or something failed, is not reached', async () => {
    expect((await run([passes])).level).toBe(0)
    expect((await run([{ ...fails, level: 0 }])).level).toBeNull()
    expect((await run([passes, { ...passes, level: 1 }])).level).toBe(1)
    expect((await run([passes, { ...passes, level: 1 }], 0)).level).toBe(0)
  })

  it('a level that does not apply holds up none above it, one that could not be tried does', async () => {
    const second: ConformanceCase = { ...passes, level: 2 }
    expect((await run([passes, { ...passes, level: 1, needs: ['no rpc'] }, second], 2)).level).toBe(2)
    expect((await run([passes, { ...needsLever, level: 1 }, second], 2)).level).toBe(0)
  })

  it('a page, a badge and a table show them, and escape what they show', async () => {
    const results = await run([passes, fails])
    const page = formatPage(results)
    expect(page).toContain('two - &lt;breaks&gt;')
    expect(page).not.toContain('<breaks>')
    expect(formatBadge(results)).toContain('level 0, 1 case')
    expect(formatBadge({ ...results, level: null })).toContain('does not conform')
    expect(formatSupportTable([results], ({ title }) => `${title}.html`).split('\n')[2]).toBe(
      `| [memory](memory.html) | memory 1.2.3 | none 9 | none | 0 | 1, 1 failed | 0 s |`,
    )
  })
})
