import { describe, it } from 'vitest'
import { ConformanceFailure, conformanceChapters, runCase } from '../src/index.ts'
import { brokenDrivers } from './support/broken-drivers.ts'
import { strangersBreaks } from './support/broken-levels.ts'
import { optionsFor } from './support/broken-options.ts'

const cases = Object.values(conformanceChapters).flat()

/** How a case rejects a broken driver, in one line; undefined when it lets it pass. */
async function rejection(name: string, broken: Parameters<typeof optionsFor>[0]): Promise<string | undefined> {
  const testCase = cases.find((each) => each.name === name)
  if (testCase === undefined) throw new Error(`There is no case ${name}`)
  try {
    await runCase(testCase, optionsFor(broken))
    return undefined
  } catch (error) {
    return error instanceof ConformanceFailure ? (error.found.split('\n', 1)[0] ?? '') : String(error)
  }
}

describe('the in-process driver, whole', () => {
  for (const testCase of cases) {
    if ((testCase.level ?? 0) < 2) continue
    const needs = testCase.needs.map(String)
    // It has no sockets, and nothing of it outlives its process.
    if (needs.some((need) => ['persistence', 'lever halfOpen', 'lever latency', 'lever split'].includes(need))) continue
    it(testCase.name, { timeout: 60_000 }, () => runCase(testCase, optionsFor({})))
  }
})

// Side by side: most of their time they wait for what a broken driver never does.
describe.concurrent('every case rejects the driver that breaks its promise', () => {
  for (const testCase of cases) {
    it(testCase.name, { timeout: 120_000 }, async ({ expect }) => {
      const found = await rejection(testCase.name, brokenDrivers[testCase.name] ?? {})
      console.log(`rejected  ${testCase.name}\n            ${found ?? 'SURVIVED'}`)
      expect(found).toBeDefined()
    })
  }
})

/** Cases that a driver broken in this place has to fail, one at least. */
const SUSPECTS = /^(?:cut|outage|rights|requeue|notify|lifecycle|ordering|failure)/

describe.concurrent('none of what a stranger broke survives', () => {
  for (const [what, broken] of Object.entries(strangersBreaks)) {
    it(what, { timeout: 300_000 }, async ({ expect }) => {
      const found: string[] = []
      for (const { name, level = 0 } of cases) {
        if (level > 1 || !SUSPECTS.test(name) || name.includes('partition') || name.includes('one ordering key'))
          continue
        if ((await rejection(name, broken)) !== undefined) found.push(name)
        if (found.length === 3) break
      }
      console.log(`break     ${what}\n            rejected by ${found.join('; ') || 'NOBODY'}`)
      expect(found).not.toEqual([])
    })
  }
})
